/* Reading a journal: records of proto/journal.proto, each after its length. */
#ifndef PROTEOS_JOURNAL_FILE_H
#define PROTEOS_JOURNAL_FILE_H

#include <sys/types.h>

#include "journal.pb-c.h"

/** Reads all whole records, oldest first.
 * @param seen  called with each; the record is the reader's
 * @return where the last whole record ends; the file may go on with what a crash left torn */
off_t journal_file_read(int fd, void (*seen)(const Proteos__Transaction *t, void *arg), void *arg);

/** A copy of a record. @return owned by the caller, or NULL without memory */
Proteos__Transaction *journal_copy(const Proteos__Transaction *t);

#endif
