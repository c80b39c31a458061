#include "servers/storage/journal/test-history.h"

#include <stdlib.h>
#include <string.h>

/* xorshift64* */
uint64_t chance(uint64_t *seed, uint64_t below) {
  *seed ^= *seed >> 12;
  *seed ^= *seed << 25;
  *seed ^= *seed >> 27;
  return (*seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

static void record(struct history *h, struct event e) {
  if (h->nevents == h->capacity) {
    h->capacity = h->capacity ? h->capacity * 2 : 64;
    h->events = realloc(h->events, h->capacity * sizeof *h->events);
  }
  h->events[h->nevents++] = e;
}

void history_write(struct history *h, uint64_t block, const uint8_t *data, enum event_kind kind) {
  size_t n = h->image->geometry.block_bytes;
  struct event e = {.kind = kind, .block = block, .data = malloc(n)};
  memcpy(e.data, data, n);
  record(h, e);
}

void history_flush(struct history *h) {
  record(h, (struct event){.kind = EVENT_FLUSH});
}

void history_free(struct history *h) {
  for (size_t i = 0; i < h->nevents; i++)
    free(h->events[i].data);
  free(h->events);
}

void medium_init(struct medium *m, const struct history *h) {
  size_t n = h->image->nbytes;
  *m = (struct medium){.history = h, .stable = malloc(n), .bytes = malloc(n)};
  m->dirty = calloc(1 << 20, sizeof *m->dirty);
  memcpy(m->stable, h->image->bytes, n);
  memcpy(m->bytes, h->image->bytes, n);
}

void medium_free(struct medium *m) {
  free(m->stable);
  free(m->bytes);
  free(m->dirty);
}

void medium_write(struct medium *m, uint64_t block, const void *data) {
  size_t n = m->history->image->geometry.block_bytes;
  memcpy(m->bytes + block * n, data, n);
  if (m->ndirty == 1 << 20) abort();
  m->dirty[m->ndirty++] = block;
}

static void make_stable(struct medium *m, size_t upto) {
  size_t n = m->history->image->geometry.block_bytes;
  for (; m->flushed < upto; m->flushed++) {
    const struct event *e = &m->history->events[m->flushed];
    if (e->kind == EVENT_FLUSH) continue;
    memcpy(m->stable + e->block * n, e->data, n);
    m->dirty[m->ndirty++] = e->block;
  }
}

void medium_cut(struct medium *m, size_t cut, unsigned lost, uint64_t *seed) {
  size_t n = m->history->image->geometry.block_bytes;
  for (size_t i = cut; i > m->flushed; i--)
    if (m->history->events[i - 1].kind == EVENT_FLUSH) make_stable(m, i);
  for (size_t i = 0; i < m->ndirty; i++)
    memcpy(m->bytes + m->dirty[i] * n, m->stable + m->dirty[i] * n, n);
  m->ndirty = 0;
  for (size_t i = m->flushed; i < cut; i++) {
    const struct event *e = &m->history->events[i];
    if (e->kind == EVENT_FUA || chance(seed, 256) >= lost) medium_write(m, e->block, e->data);
  }
}
