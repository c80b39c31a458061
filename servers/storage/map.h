/* Where a file's blocks lie on the disk. */
#ifndef PROTEOS_STORAGE_MAP_H
#define PROTEOS_STORAGE_MAP_H

#include "servers/storage/node.h"

/** The run that has block `at` of the file, from there on. @return 0 or a negative errno */
int map_find(struct node *node, uint64_t at, struct extent_run *run);
/** Gives blocks to a hole, as many of `count` as lie together. Their contents mean nothing.
 * @return 0; -ENOSPC; another negative errno, after which the volume has failed */
int map_allocate(struct node *node, uint64_t at, uint32_t count, struct extent_run *run);
/** A block that was unwritten is going to be written. @return 0 or a negative errno */
int map_written(struct node *node, uint64_t at);
/** Frees some of the blocks from `first` on, the last ones: at most `most` of the file's range.
 * @return 1: there may be more; 0: there are none left; or a negative errno */
int map_cut(struct node *node, uint64_t first, uint32_t most);
/** The highest number of blocks that the file may have. */
uint64_t map_blocks_max(const struct node *node);

#endif
