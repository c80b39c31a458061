/* Which blocks can be had, and what becomes of those that are freed.
 *
 * libext2fs's bitmap is the truth of the running transaction. A block that was freed is not given
 * out again before that has committed: else a crash would leave it to its old owner with the new
 * one's contents. If the log holds a copy of it, the copy is revoked. */
#ifndef PROTEOS_STORAGE_BLOCKS_H
#define PROTEOS_STORAGE_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/storage/journal/journal.h"

/** For a file system that was opened. @return 0 or a negative errno */
int blocks_open(void);
/** Finds blocks for data that follow each other and can be had; marks them as used.
 * @param goal  near which
 * @param want  how many at most
 * @param block  the first
 * @return how many; 0: there are none */
uint32_t blocks_allocate(uint64_t goal, uint32_t want, uint64_t *block);
enum blocks_answer { BLOCKS_THERE, BLOCKS_LATER, BLOCKS_NONE };
/** Whether an operation may use so many. Some are kept for what it needs beside its data.
 * @return BLOCKS_LATER: once what was freed has been committed, which is under way */
enum blocks_answer blocks_have(uint32_t count);
/** How many can be had now. */
uint64_t blocks_usable(void);

/** Adds a block to the journal's running transaction. @return 0 or a negative errno */
int blocks_log(uint64_t block, const void *data, journal_tid tid);
/** The log begins later: what is before that needs no revoking. */
void blocks_log_moved(void);
/** Blocks that the running transaction has revoked, or freed. */
uint32_t blocks_revoked(void);
uint32_t blocks_freed(void);
bool blocks_are_pending(void);
/** The running transaction is sealed; it has committed. */
void blocks_seal(void);
void blocks_committed(void);

#endif
