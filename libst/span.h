/* Spans: runs of pages that hold blocks of one class. */
#ifndef LIBST_SPAN_H
#define LIBST_SPAN_H

#include "libst/arena.h"

static inline struct span *span_at(uint32_t page) {
  return (struct span *)(ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT));
}

static inline uint32_t page_of(const void *p) {
  return (uint32_t)(((uintptr_t)p - ARENA_BASE) >> ARENA_PAGE_SHIFT);
}

static inline uint32_t head_of(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  return e->flags & PAGE_HEAD ? page : page - e->run;
}

/** The large block whose head is `page`. */
static inline struct block large_block(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  return (struct block){
      (uintptr_t)span_at(page), e->bytes, (size_t)e->run << ARENA_PAGE_SHIFT, e->tag, page, 0};
}

/** Says what `p` is, instead of a live block, and ends the program. */
__attribute__((noreturn, cold)) void span_bad_pointer(const void *p);

/** The span that `p` lies in, whose page has the entry `e`. */
static inline struct span *span_of(const void *p, const struct page *e) {
  return (struct span *)(((uintptr_t)p & -ARENA_PAGE) - ((uintptr_t)e->run << ARENA_PAGE_SHIFT));
}

#define SPAN_NONE UINT32_MAX

/** Which block of a span starts at `p`, counted on behind the last; SPAN_NONE between two.
 *
 * `divide` is (2^32 + e) / size with e < size, so the product with n * size + r has n in its upper
 * half and n * e + r * divide in its lower one. That is less than `divide` just when r is 0: n * e
 * is less than 2^18, the bytes of the longest span, and `divide` is not. */
static inline uint32_t span_slot(const struct span *s, uint32_t data, uint32_t divide,
                                 const void *p) {
  uint64_t product = (uint64_t)((uint32_t)((uintptr_t)p - (uintptr_t)s) - data) * divide;
  return (uint32_t)product < divide ? (uint32_t)(product >> 32) : SPAN_NONE;
}

/** The index of the live block that starts at `p`; ends the program when there is none. */
static inline uint32_t span_index(const struct span *s, const struct size_class *c, const void *p) {
  uint32_t i = span_slot(s, c->data, c->divide, p);
  if (__builtin_expect(i >= c->count || !record_live(s->records[i]), 0)) span_bad_pointer(p);
  return i;
}

/** Takes a block of a span with room, or of a new one. */
void *span_take(uint32_t class, size_t bytes, unsigned site, bool clear);
/** Gives a block back to its span, whose head is `page`. */
void span_put(uint32_t page, uint32_t index);

/** Forgets which spans have room ... */
void span_forget_room(void);
/** ... and learns it again, of the one that starts at `page`: its records are checked, its list of
 * free blocks is made anew. @return what is wrong with it, or NULL */
const char *span_recover(uint32_t page);

/** New spans are fresh; those with room are set aside until span_transfer_end(). */
void span_transfer_begin(void);
void span_transfer_end(void);
/** Flags for the pages of a new run: PAGE_FRESH while a transfer is in progress. */
uint8_t span_flags(void);

#endif
