/* Blocks that the log has copies of, which replay would write. */
#ifndef PROTEOS_STORAGE_LOGGED_H
#define PROTEOS_STORAGE_LOGGED_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/storage/journal/journal.h"

/** @param most  as many as there can be. @return 0 or -ENOMEM */
int logged_open(uint32_t most);
/** @return 0 or -ENOMEM */
int logged_add(uint64_t block, journal_tid tid);
bool logged_has(uint64_t block);
/** Forgets those whose last copy is of a transaction before `tid`. */
void logged_drop_before(journal_tid tid);

#endif
