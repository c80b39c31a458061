/* libext2fs's way to the disk: an I/O manager over the block cache. What it writes is metadata of
 * the running transaction. A miss waits for the disk. */
#ifndef PROTEOS_STORAGE_CHANNEL_H
#define PROTEOS_STORAGE_CHANNEL_H

#include <stdint.h>

#include <ext2fs/ext2fs.h>

extern struct struct_io_manager channel_manager;

/** Blocks that were changed since the last call: an operation that failed with none has done
 * nothing. */
uint32_t channel_changes(void);

#endif
