/* Opening the file system: is it one that we can use, and is it whole. */
#ifndef PROTEOS_STORAGE_MOUNT_H
#define PROTEOS_STORAGE_MOUNT_H

#include <stdbool.h>

#include <ext2fs/ext2fs.h>

#include "servers/storage/journal/journal.h"

/** @param read_only  becomes true when it can only be read
 * @return 0; a negative errno, and the log says why: nothing has been written */
int mount_open(bool *read_only, ext2_filsys *fs, struct journal **journal);

#endif
