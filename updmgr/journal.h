/* The instance's journal of update transactions: a file of records, each after its length (32 bits,
 * little-endian), each on disk before the next step. Without it updates go on, and the log says
 * so. */
#ifndef UPDMGR_JOURNAL_H
#define UPDMGR_JOURNAL_H

#include <stdint.h>

#include "journal.pb-c.h"

/** Opens the journal, counts its transactions, and cuts off a record that a crash left torn. */
void journal_open(void);
/** The number of the next transaction. */
uint64_t journal_next(void);
/** The last record of a transaction, by its id. @return owned by the caller, or NULL */
Proteos__Transaction *journal_find(uint64_t id);
/** Adds a record, and waits until it is on disk. */
void journal_append(const Proteos__Transaction *t);

#endif
