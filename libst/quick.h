/* The path of most allocations and frees: blocks that were freed last wait in this process, a few
 * of each class, and are handed out again without looking at their span. Their records say that
 * they are free, so a second free is found out and nobody takes them for live. */
#ifndef LIBST_QUICK_H
#define LIBST_QUICK_H

#include <string.h>

#include "libst/arena.h"

enum { QUICK_MAX = 31 };

struct quick {
  uint32_t size; /* bytes of a block */
  uint16_t count, limit;
  struct {
    char *block;
    struct record *record;
  } held[QUICK_MAX];
} __attribute__((aligned(512)));

extern struct quick arena_quick[ARENA_CLASSES] __attribute__((visibility("hidden")));

/** Allocates where quick_take() finds nothing. */
void *arena_alloc_slow(size_t bytes, unsigned site, bool points, bool clear);
/** Makes a free block one of another site, and zeroes `clear` bytes of it. @return `block` */
void *arena_reuse(void *block, unsigned site, size_t clear);

/* Zeroes a block up to the next multiple of 16. A call of memset costs more than a small block. */
static inline void *quick_clear(char *p, size_t bytes) {
  if (bytes > 256) return memset(p, 0, bytes);
  for (char *at = p, *end = p + bytes; at < end; at += 16) {
    __builtin_memset(at, 0, 16);
    __asm__ volatile("" ::: "memory"); /* keeps the loop from becoming that call */
  }
  return p;
}

/** Allocates a block. All calls are tail calls, so that the path that makes none saves no
 * registers.
 * @see arena_alloc(); `points`: it may hold pointers */
static inline void *quick_take(size_t bytes, unsigned site, bool points, bool clear) {
  if (__builtin_expect(bytes >= ARENA_SMALL, 0))
    return arena_alloc_slow(bytes, site, points, clear);
  struct quick *q = &arena_quick[arena_class_of[bytes / 16] + points];
  unsigned count = q->count;
  if (__builtin_expect(count == 0, 0)) return arena_alloc_slow(bytes, site, points, clear);
  q->count = (uint16_t)--count;
  char *block = q->held[count].block;
  struct record *record = q->held[count].record;
  unsigned was = record->site;
  *record = (struct record){(uint16_t)site, (uint16_t)(q->size - bytes)};
  if (__builtin_expect(was != site, 0)) return arena_reuse(block, site, clear ? bytes : 0);
  return clear ? quick_clear(block, bytes) : block;
}

#endif
