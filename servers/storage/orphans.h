/* The file system's list of orphans: files without names, and files that are being cut. Whoever
 * mounts it after a crash finishes them.
 *
 * The list begins in the super block; an orphan's i_dtime is the next one's number. */
#ifndef PROTEOS_STORAGE_ORPHANS_H
#define PROTEOS_STORAGE_ORPHANS_H

#include "servers/storage/node.h"

/** Adds a file, which is in no list; it must be in use until it leaves the list.
 * @return 0 or a negative errno */
int orphans_add(struct node *node);
/** Takes it off; nothing is done if it is not in the list. Its i_dtime means nothing then, and the
 * inode is to be written. @return 0 or a negative errno */
int orphans_leave(struct node *node);
/** The first one, or 0. */
uint32_t orphans_first(void);
/** Whether the list can be followed to its end; for mounting.
 * @return 0, -EUCLEAN (it leads to no inode, or in a circle), or what reading an inode ends with */
int orphans_check(void);

#endif
