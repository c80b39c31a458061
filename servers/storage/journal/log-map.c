#include "servers/storage/journal/log-map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

static int by_place(const void *a, const void *b) {
  const struct journal_extent *x = a, *y = b;
  return x->block < y->block ? -1 : x->block > y->block;
}

static int check_order(struct log_map *m, const struct journal_geometry *g,
                       struct journal_reason *why) {
  for (size_t i = 0; i < g->nextents; i++) {
    const struct journal_extent *e = &g->extents[i];
    if (e->first != m->length || e->count == 0)
      return refuse(why, -EINVAL, "the journal's blocks from %" PRIu32 " on have no place",
                    m->length);
    if (e->count > UINT32_MAX - m->length) return refuse(why, -EINVAL, "the journal is too long");
    if (e->block == 0 || e->block >= g->fs_blocks || e->count > g->fs_blocks - e->block)
      return refuse(why, -EINVAL, "the journal's block %" PRIu32 " lies outside the file system",
                    e->first);
    m->length += e->count;
  }
  return 0;
}

static int check_overlap(const struct log_map *m, struct journal_reason *why) {
  for (size_t i = 1; i < m->nextents; i++) {
    const struct journal_extent *before = &m->by_place[i - 1], *e = &m->by_place[i];
    if (e->block - before->block < before->count)
      return refuse(why, -EINVAL,
                    "the journal's blocks %" PRIu32 " and %" PRIu32 " have the same place",
                    before->first + (uint32_t)(e->block - before->block), e->first);
  }
  return 0;
}

static int copy_extents(struct log_map *m, const struct journal_geometry *g) {
  m->nextents = g->nextents;
  m->extents = calloc(g->nextents, sizeof *m->extents);
  m->by_place = calloc(g->nextents, sizeof *m->by_place);
  if (!m->extents || !m->by_place) return -ENOMEM;
  memcpy(m->extents, g->extents, g->nextents * sizeof *m->extents);
  memcpy(m->by_place, g->extents, g->nextents * sizeof *m->by_place);
  qsort(m->by_place, m->nextents, sizeof *m->by_place, by_place);
  return 0;
}

int log_map_init(struct log_map *m, const struct journal_geometry *g, struct journal_reason *why) {
  *m = (struct log_map){0};
  if (g->nextents == 0) return refuse(why, -EINVAL, "the journal has no blocks");
  int err = check_order(m, g, why);
  if (!err && (err = copy_extents(m, g))) refuse(why, err, "out of memory");
  if (!err) err = check_overlap(m, why);
  if (err) log_map_free(m);
  return err;
}

void log_map_free(struct log_map *m) {
  free(m->extents);
  free(m->by_place);
  *m = (struct log_map){0};
}

uint64_t log_map_block(const struct log_map *m, uint32_t at) {
  size_t low = 0, high = m->nextents; /* the extent is in [low, high) */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    *(m->extents[middle].first <= at ? &low : &high) = middle;
  }
  return m->extents[low].block + (at - m->extents[low].first);
}

bool log_map_has(const struct log_map *m, uint64_t block) {
  size_t low = 0, high = m->nextents;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    *(m->by_place[middle].block <= block ? &low : &high) = middle;
  }
  const struct journal_extent *e = &m->by_place[low];
  return block >= e->block && block - e->block < e->count;
}
