/* Where the journal's blocks lie in the file system. */
#ifndef STORAGE_JOURNAL_LOG_MAP_H
#define STORAGE_JOURNAL_LOG_MAP_H

#include <stdbool.h>

#include "servers/storage/journal/journal.h"

struct log_map {
  struct journal_extent *extents;  /* by journal block */
  struct journal_extent *by_place; /* by block of the file system */
  size_t nextents;
  uint32_t length; /* blocks of the journal */
};

/** Copies extents, which must cover the journal from block 0 on without holes, lie within the file
 * system, and not overlap.
 * @return 0, -EINVAL with a reason, -ENOMEM */
int log_map_init(struct log_map *, const struct journal_geometry *, struct journal_reason *);
void log_map_free(struct log_map *);
/** @param at  less than the length. @return the block of the file system */
uint64_t log_map_block(const struct log_map *, uint32_t at);
/** Whether a block of the file system belongs to the journal. */
bool log_map_has(const struct log_map *, uint64_t block);

#endif
