/* Transactions: what the operations of the file system change is committed together, through the
 * journal. Each operation runs to its end in one event, so a transaction ends between two.
 *
 * A commit takes copies of the changed metadata into pages of its own. They are written to the log,
 * together with the data that the metadata points to; after a flush comes the commit record; then
 * they are written in place. The copies are kept until a later flush has been done: should the
 * device lose its cache, they are written again. */
#ifndef PROTEOS_STORAGE_COMMIT_H
#define PROTEOS_STORAGE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

/** Number of a commit: they are counted from 1. */
typedef uint64_t commit_number;

/** @param age_s  a transaction commits after so many seconds */
void commit_init(uint32_t age_s);
/** Asks for a commit of all that was done up to now.
 * @return its number: commit_is_done() tells when that is kept */
commit_number commit_ask(void);
bool commit_is_done(commit_number number);
/** The same; all data of this file is written, too. @param inode  0: of all files */
commit_number commit_ask_with_data(uint32_t inode);
/** Whether so much metadata waits for the commit that operations have to wait, too. */
bool commit_is_behind(void);
/** For the end of each turn: a transaction that has become large commits. */
void commit_turn_end(void);
/** For the alarm: one that is old. */
void commit_tick(void);
/** Commits all, and leaves an empty log; waits for it. @return 0 or -EIO */
int commit_all_wait(void);

/** How many commits there were. */
uint64_t commit_count(void);
/** Anything that is not committed. */
bool commit_is_pending(void);

/** From the disk and the cache. */
void commit_written(const uint32_t *pages, uint32_t count, int status);
/** Something was done that a commit may wait for: it goes on at the end of the turn. */
void commit_look(void);
void commit_lost(void);

#endif
