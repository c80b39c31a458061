#include "servers/storage/logged.h"

#include <errno.h>
#include <stdlib.h>

/* A table with open addressing, at most half full. No file system has block 0 in its journal but
 * one with the super block there, so free entries are told by `used`. */
struct entry {
  uint64_t block;
  journal_tid tid;
  bool used;
};

static struct entry *entries;
static uint32_t capacity, count;

static struct entry *place(struct entry *in, uint32_t size, uint64_t block) {
  uint32_t i = (uint32_t)(block * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
  while (in[i].used && in[i].block != block)
    i = (i + 1) & (size - 1);
  return &in[i];
}

/* Moves those from `tid` on to a table of `size`. */
static int rebuild(uint32_t size, bool all, journal_tid tid) {
  struct entry *fresh = calloc(size, sizeof *fresh);
  if (!fresh) return -ENOMEM;
  count = 0;
  for (uint32_t i = 0; i < capacity; i++) {
    const struct entry *e = &entries[i];
    if (!e->used || (!all && (int32_t)(e->tid - tid) < 0)) continue;
    *place(fresh, size, e->block) = *e;
    count++;
  }
  free(entries);
  entries = fresh;
  capacity = size;
  return 0;
}

int logged_open(uint32_t most) {
  uint32_t size = 64;
  while (size < 2 * most && size < 1u << 16)
    size *= 2;
  free(entries);
  entries = calloc(size, sizeof *entries);
  capacity = entries ? size : 0;
  count = 0;
  return entries ? 0 : -ENOMEM;
}

int logged_add(uint64_t block, journal_tid tid) {
  if (2 * (count + 1) > capacity && rebuild(2 * capacity, true, 0)) return -ENOMEM;
  struct entry *e = place(entries, capacity, block);
  count += !e->used;
  *e = (struct entry){block, tid, true};
  return 0;
}

bool logged_has(uint64_t block) {
  return capacity && place(entries, capacity, block)->used;
}

void logged_drop_before(journal_tid tid) {
  rebuild(capacity, false, tid);
}
