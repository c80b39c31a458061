/* Files without names: removed at once, or, while they are open, kept on the file system's list of
 * orphans, so that they are removed after a crash too. */
#ifndef PROTEOS_STORAGE_REMOVE_H
#define PROTEOS_STORAGE_REMOVE_H

#include "servers/storage/node.h"

/** The last name of a file is gone: it becomes an orphan. @return 0 or a negative errno */
int remove_later(struct node *node);
/** Removes an orphan that nobody uses, and its blocks. The volume fails when that is not possible.
 * @return whether the node is no longer needed; else it is in use until all blocks are free */
bool remove_orphan(struct node *node);
/** Goes on with all that a crash has left, as with those of now; for mounting.
 * @return 0 or a negative errno */
int remove_orphans(void);

#endif
