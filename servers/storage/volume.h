/* The file system on the disk: mounting, unmounting, and its end when something fails. */
#ifndef PROTEOS_STORAGE_VOLUME_H
#define PROTEOS_STORAGE_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include <ext2fs/ext2fs.h>

#include "servers/storage/journal/journal.h"

/** Mounts it: replays the journal, and removes the files that nobody had a name for. What cannot be
 * mounted is left as it is, and the log says why.
 * @return 0 or a negative errno */
int volume_mount(bool read_only);
/** Writes everything, and leaves it clean. All files must be closed. */
void volume_unmount(void);

/** Whether operations are possible at all: 0, -EIO. */
int volume_may_read(void);
/** Whether it may be changed: 0, -EIO, -EROFS. */
int volume_may_write(void);
bool volume_has_failed(void);
/** Ends all changes, for what is in memory is not to be trusted any more. On the disk it is as it
 * was committed last. */
void volume_fail(const char *why);

ext2_filsys volume_fs(void);
/** The journal. NULL: it is mounted for reading. */
struct journal *volume_journal(void);
/** Brings what libext2fs has in its memory into the cache. @return 0 or -EIO */
int volume_flush_memory(void);
/** Writes a block where it belongs, at once. @return 0 or -EIO */
int volume_write_wait(uint64_t block, const void *data);
/** A negative errno for an error of libext2fs. */
int volume_errno(errcode_t error);

#endif
