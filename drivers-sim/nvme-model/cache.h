/* The volatile write cache: what was written since the last flush, lost when the power fails, that
 * is, with the component's memory. */
#ifndef PROTEOS_NVME_CACHE_H
#define PROTEOS_NVME_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "libst/annotate.h"
#include "media.h"

enum {
  CACHE_BLOCK_BYTES = 4096,
  CACHE_BLOCKS = 1024,
  CACHE_BUCKETS = 512,
};

struct cache_block {
  TAILQ_ENTRY(cache_block) age;
  LIST_ENTRY(cache_block) bucket;
  uint64_t number;
  uint8_t written; /* which of its sectors: one bit each */
  uint8_t data[CACHE_BLOCK_BYTES];
};
ST_FIELD(struct cache_block, data, opaque); /* the host's */

struct cache {
  bool enabled;
  bool evicted; /* blocks went to the medium since it was last synced, and are forgotten here */
  bool failed;  /* and then it could not be synced: they may be lost */
  uint32_t nblocks;
  TAILQ_HEAD(, cache_block) by_age; /* oldest first */
  LIST_HEAD(, cache_block) buckets[CACHE_BUCKETS];
};

void cache_init(struct cache *c);

/* Offsets and sizes are in bytes, multiples of a sector, and within the medium. They return 0 or a
 * negative errno. */

/** Reads what was written last. */
int cache_read(const struct cache *c, const struct media *m, uint64_t offset, void *data,
               uint32_t bytes);

/** Writes; when the cache is off or full, or has no memory, to the medium. */
int cache_write(struct cache *c, const struct media *m, uint64_t offset, const void *data,
                uint32_t bytes);

/** Has everything written to the medium, in the order of age, and kept there. If that fails all of
 * it stays, to be written again; but when something had left the cache before, that may be lost,
 * and from then on nothing can be kept (-EIO). */
int cache_flush(struct cache *c, const struct media *m);

#endif
