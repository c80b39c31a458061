/* The transaction that gathers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

enum { BLOCKS_MIN = 16 };

static bool may_be_logged(const struct journal *j, uint64_t block) {
  return block < j->fs_blocks && !log_map_has(&j->map, block);
}

static int reserve_block(struct gathering *g) {
  int err = block_map_reserve(&g->index);
  if (err || g->nblocks < g->capacity) return err;
  if (g->capacity > UINT32_MAX / 2) return -ENOMEM;
  uint32_t capacity = g->capacity ? g->capacity * 2 : BLOCKS_MIN;
  struct logged_block *grown = reallocarray(g->blocks, capacity, sizeof *grown);
  if (!grown) return -ENOMEM;
  g->blocks = grown;
  g->capacity = capacity;
  return 0;
}

static void put_block(struct gathering *g, struct logged_block b) {
  uint32_t *at = block_map_find(&g->index, b.block);
  if (at) {
    free(g->blocks[*at].copy);
    g->blocks[*at] = b;
    return;
  }
  block_map_set(&g->index, b.block, g->nblocks);
  g->blocks[g->nblocks++] = b;
}

/* The last one takes its place. */
static void drop_block(struct gathering *g, uint64_t block) {
  uint32_t *found = block_map_find(&g->index, block);
  if (!found) return;
  uint32_t at = *found;
  free(g->blocks[at].copy);
  block_map_remove(&g->index, block);
  g->nblocks--;
  if (at == g->nblocks) return;
  g->blocks[at] = g->blocks[g->nblocks];
  block_map_set(&g->index, g->blocks[at].block, at);
}

int journal_add(struct journal *j, uint64_t block, const void *data, enum journal_keep keep) {
  struct gathering *g = &j->running;
  if (!may_be_logged(j, block)) return -EINVAL;
  int err = reserve_block(g);
  if (err) return err;
  struct logged_block b = {.block = block, .data = data};
  if (keep == JOURNAL_COPY) {
    b.data = b.copy = malloc(j->block_bytes);
    if (!b.copy) return -ENOMEM;
    memcpy(b.copy, data, j->block_bytes);
  }
  put_block(g, b);
  /* Replay takes a revoke for later than all of its transaction. */
  block_map_remove(&g->revoked, block);
  return 0;
}

int journal_revoke(struct journal *j, uint64_t block) {
  struct gathering *g = &j->running;
  if (!may_be_logged(j, block)) return -EINVAL;
  int err = block_map_reserve(&g->revoked);
  if (err) return err;
  drop_block(g, block);
  block_map_set(&g->revoked, block, 0);
  return 0;
}

journal_tid journal_running(const struct journal *j) {
  return j->running.tid;
}

uint32_t journal_running_needs(const struct journal *j) {
  return journal_needs(j, j->running.nblocks, j->running.revoked.count);
}

void gathering_free(struct gathering *g) {
  for (uint32_t i = 0; i < g->nblocks; i++)
    free(g->blocks[i].copy);
  free(g->blocks);
  block_map_free(&g->index);
  block_map_free(&g->revoked);
  *g = (struct gathering){0};
}
