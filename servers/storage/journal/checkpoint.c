/* The log's tail: what is in place is no longer needed. */
#include <errno.h>
#include <stdlib.h>

#include "servers/storage/journal/state.h"

/* Where the log could begin. */
static struct log_tail tail_now(const struct journal *j) {
  const struct logged *oldest = TAILQ_FIRST(&j->logged);
  if (oldest) return (struct log_tail){.start = oldest->start, .sequence = oldest->tid};
  return (struct log_tail){.start = j->head, .sequence = j->running.tid};
}

int journal_checkpointed(struct journal *j, journal_tid tid) {
  struct logged *l;
  TAILQ_FOREACH (l, &j->logged, link)
    if (l->tid == tid) break;
  if (!l || !l->committed || l->checkpointed) return -ENOENT;
  l->checkpointed = true;
  while ((l = TAILQ_FIRST(&j->logged)) && l->checkpointed) {
    TAILQ_REMOVE(&j->logged, l, link);
    free(l);
  }
  return 0;
}

bool journal_oldest(const struct journal *j, journal_tid *tid) {
  const struct logged *l = TAILQ_FIRST(&j->logged);
  if (!l || !l->committed) return false;
  *tid = l->tid;
  return true;
}

int journal_superblock(struct journal *j, enum journal_tail what, struct journal_write *write) {
  if (j->state == JOURNAL_OPENED) return -EINVAL;
  if (j->superblock_is_out || j->commit.with_superblock) return -EBUSY;
  struct log_tail tail = tail_now(j);
  if (what == JOURNAL_CLEAN || j->state == JOURNAL_RECOVERED) {
    if (!TAILQ_EMPTY(&j->logged)) return -EBUSY;
    tail.start = 0;
  }
  if (j->medium.start == 0 || tail.start == j->medium.start) return 0;
  superblock_point_to(j, tail);
  j->superblock_is_out = true;
  *write = (struct journal_write){log_map_block(&j->map, 0), j->superblock};
  return 1;
}

int journal_superblock_written(struct journal *j) {
  if (!j->superblock_is_out) return -EINVAL;
  j->superblock_is_out = false;
  j->medium = j->being_written;
  j->state = JOURNAL_READY;
  return 0;
}
