/* The data that a commit writes before it commits: that of blocks which its transaction has
 * allocated, and that of files which are synced. */
#ifndef PROTEOS_STORAGE_WANTED_H
#define PROTEOS_STORAGE_WANTED_H

#include <stdbool.h>
#include <stdint.h>

/** The next commit writes all data of a file. @param inode  0: of all files */
void wanted_sync(uint32_t inode);
/** A commit begins: pages that it wants are marked. */
void wanted_begin(void);
/** The disk has lost what was not flushed: whatever is dirty now may be what it wanted. */
void wanted_again(void);
/** A page that was wanted is on the disk. */
void wanted_has_page(void);
/** How many are not yet. */
uint32_t wanted_left(void);

#endif
