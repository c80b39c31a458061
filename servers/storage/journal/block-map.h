/* A map from block numbers to numbers: a hash table with open addressing that grows. */
#ifndef STORAGE_JOURNAL_BLOCK_MAP_H
#define STORAGE_JOURNAL_BLOCK_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct block_map_slot {
  uint64_t block;
  uint32_t value;
  bool used;
};

/** Empty when zero. */
struct block_map {
  struct block_map_slot *slots;
  uint32_t nslots; /* a power of two, or 0 */
  uint32_t count;
};

/** @return where the block's value is, valid until the map changes; NULL: it has none */
uint32_t *block_map_find(const struct block_map *, uint64_t block);
/** Makes room for one more block. @return 0 or -ENOMEM */
int block_map_reserve(struct block_map *);
/** Sets a block's value; needs room for a new one. */
void block_map_set(struct block_map *, uint64_t block, uint32_t value);
/** Does nothing when the block has no value. */
void block_map_remove(struct block_map *, uint64_t block);
void block_map_free(struct block_map *);

#endif
