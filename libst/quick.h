/* The path of most allocations and frees: blocks that were freed last wait in this process, a few
 * of each class, and are handed out again without looking at their span. Their records say that
 * they are free, so a second free is found out and nobody takes them for live. */
#ifndef LIBST_QUICK_H
#define LIBST_QUICK_H

#include <string.h>

#include "libst/arena.h"
#include "libst/span.h"

struct held {
  char *block;
  struct record *record;
};

enum { QUICK_MAX = 29 };

/* All that both paths need to know of a class, next to its blocks. */
struct quick {
  struct held *top, *full;         /* the last that waits; where it is when no more may */
  uint32_t size;                   /* bytes of a block */
  uint32_t count, data, divide;    /* as in struct size_class */
  struct held held[1 + QUICK_MAX]; /* the first is none, which ends the list */
} __attribute__((aligned(512)));

_Static_assert(sizeof(struct quick) == 512, "no gap: a shift finds a class's");

extern struct quick arena_quick[ARENA_CLASSES] __attribute__((visibility("hidden")));

/** Allocates where quick_take() finds nothing. */
void *arena_alloc_slow(size_t bytes, unsigned site, bool points, bool clear);
/** Frees what is no block of a span; ends the program when it is none at all. */
void arena_free_large(void *p);
/** Makes a free block one of another site, and zeroes `clear` bytes of it. @return `block` */
void *arena_reuse(void *block, unsigned site, size_t clear);

/* 16 bytes; the compiler must not make a call out of a loop of them. */
static inline void quick_zero(char *p) {
  __builtin_memset(p, 0, 16);
  __asm__ volatile("" ::: "memory");
}

/* Zeroes the first `bytes` bytes of a block, and of its others at most 16: there is one at least,
 * and sizes are multiples of 16. A call of memset costs more than a small block. */
static inline void *quick_clear(char *p, size_t bytes) {
  if (bytes > 256) return memset(p, 0, bytes);
  char *last = p + (bytes & -16ul);
  for (char *at = p; at < last; at += 16)
    quick_zero(at);
  quick_zero(last);
  return p;
}

/** Allocates a block. All calls are tail calls, so that the path that makes none saves no
 * registers.
 * @see arena_alloc(); `points`: it may hold pointers */
static inline void *quick_take(size_t bytes, unsigned site, bool points, bool clear) {
  if (__builtin_expect(bytes >= ARENA_SMALL, 0))
    return arena_alloc_slow(bytes, site, points, clear);
  unsigned class = arena_class_of[bytes / 16] + (unsigned)points;
  struct quick *q = &arena_quick[class];
  struct held *top = q->top;
  char *block = top->block;
  if (__builtin_expect(!block, 0)) return arena_alloc_slow(bytes, site, points, clear);
  struct record *record = top->record;
  q->top = top - 1;
  unsigned was = record->site;
  *record = (struct record){(uint16_t)site, (uint16_t)(q->size - bytes)};
  if (__builtin_expect(was != site, 0)) return arena_reuse(block, site, clear ? bytes : 0);
  return clear ? quick_clear(block, bytes) : block;
}

/** Frees a block. All calls are tail calls here, too.
 * @see arena_free() */
static inline void quick_give(void *p) {
  const struct page *e = &ARENA_MAP[page_of(p)];
  if (__builtin_expect(e->kind == PAGE_SPAN, 1)) {
    struct quick *q = &arena_quick[e->tag];
    struct span *s = span_of(p, e);
    uint32_t i = span_slot(s, q->data, q->divide, p);
    if (__builtin_expect(i < q->count && record_live(s->records[i]), 1)) {
      struct held *top = q->top;
      if (__builtin_expect(top == q->full, 0)) {
        span_put(page_of(s), i);
        return;
      }
      s->records[i].slack = RECORD_FREE | SPAN_END;
      top[1] = (struct held){p, &s->records[i]};
      q->top = top + 1;
      return;
    }
  }
  arena_free_large(p);
}

#endif
