/* Finding the block that an address lies in: what a transfer does for every pointer. */
#ifndef LIBST_FIND_H
#define LIBST_FIND_H

#include "libst/arena.h"
#include "libst/span.h"

/** arena_find(), for those who do nothing else. */
static inline bool find_block(uintptr_t address, bool fresh, struct block *out) {
  if (!arena_has((void *)address)) return false;
  uint32_t page = page_of((void *)address);
  if (page >= ARENA->top) return false;
  const struct page *e = &ARENA_MAP[page];
  if (!fresh && (e->flags & PAGE_FRESH)) return false;
  if (__builtin_expect(e->kind != PAGE_SPAN, 0)) {
    if (e->kind != PAGE_LARGE) return false;
    *out = large_block(head_of(page));
    return true;
  }
  page -= e->run;
  const struct size_class *c = &arena_classes[e->tag];
  const struct span *s = span_at(page);
  uintptr_t data = (uintptr_t)s + c->data;
  if (address < data) return false;
  uint32_t i = (uint32_t)(((uint64_t)(uint32_t)(address - data) * c->divide) >> 32);
  if (i >= c->count || !record_live(s->records[i])) return false;
  struct record r = s->records[i];
  *out = (struct block){data + i * c->size, c->size - r.slack, c->size, r.site, page, i};
  return true;
}

#endif
