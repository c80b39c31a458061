#include "servers/storage/journal/block-map.h"

#include <errno.h>
#include <stdlib.h>

enum { SLOTS_MIN = 16 };

/* Fibonacci hashing: neighbouring blocks, which are the common case, are spread. */
static uint32_t home(const struct block_map *m, uint64_t block) {
  return (uint32_t)((block * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->nslots - 1);
}

/* The block's slot, or the free one where it would be. */
static struct block_map_slot *slot_of(const struct block_map *m, uint64_t block) {
  uint32_t i = home(m, block);
  while (m->slots[i].used && m->slots[i].block != block)
    i = (i + 1) & (m->nslots - 1);
  return &m->slots[i];
}

uint32_t *block_map_find(const struct block_map *m, uint64_t block) {
  if (m->count == 0) return NULL;
  struct block_map_slot *s = slot_of(m, block);
  return s->used ? &s->value : NULL;
}

int block_map_reserve(struct block_map *m) {
  if (m->nslots && m->count + 1 <= m->nslots / 4 * 3) return 0;
  if (m->nslots > UINT32_MAX / 2) return -ENOMEM;
  struct block_map grown = {.nslots = m->nslots ? m->nslots * 2 : SLOTS_MIN, .count = m->count};
  grown.slots = calloc(grown.nslots, sizeof *grown.slots);
  if (!grown.slots) return -ENOMEM;
  for (uint32_t i = 0; i < m->nslots; i++)
    if (m->slots[i].used) *slot_of(&grown, m->slots[i].block) = m->slots[i];
  free(m->slots);
  *m = grown;
  return 0;
}

void block_map_set(struct block_map *m, uint64_t block, uint32_t value) {
  struct block_map_slot *s = slot_of(m, block);
  m->count += !s->used;
  *s = (struct block_map_slot){.block = block, .value = value, .used = true};
}

/* Those that follow are moved up when the gap lies between their home and them, so that they are
 * found. */
static void close_gap(struct block_map *m, uint32_t gap) {
  uint32_t mask = m->nslots - 1;
  for (uint32_t i = (gap + 1) & mask; m->slots[i].used; i = (i + 1) & mask) {
    uint32_t from_home = (i - home(m, m->slots[i].block)) & mask;
    if (from_home < ((i - gap) & mask)) continue;
    m->slots[gap] = m->slots[i];
    gap = i;
  }
  m->slots[gap] = (struct block_map_slot){0};
}

void block_map_remove(struct block_map *m, uint64_t block) {
  if (m->count == 0) return;
  struct block_map_slot *s = slot_of(m, block);
  if (!s->used) return;
  m->count--;
  close_gap(m, (uint32_t)(s - m->slots));
}

void block_map_free(struct block_map *m) {
  free(m->slots);
  *m = (struct block_map){0};
}
