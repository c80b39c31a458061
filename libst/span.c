#include "libst/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/quick.h"
#include "libst/run.h"

enum { KEEP_SIZE = 512 };

static bool transferring;
static uint32_t aside[ARENA_CLASSES]; /* the old version's spans with room, during a transfer */

uint8_t span_flags(void) {
  return transferring ? PAGE_FRESH : 0;
}

static void push(uint32_t class, uint32_t page) {
  uint32_t *list = &ARENA->partial[class];
  struct span *s = span_at(page);
  s->prev = 0;
  s->next = *list;
  if (s->next) span_at(s->next)->prev = page;
  *list = page;
}

static void take_out(uint32_t class, uint32_t page) {
  struct span *s = span_at(page);
  if (s->prev)
    span_at(s->prev)->next = s->next;
  else
    ARENA->partial[class] = s->next;
  if (s->next) span_at(s->next)->prev = s->prev;
}

/* Makes a span and puts it first among those with room. @return its page, or 0. */
static uint32_t make(uint32_t class) {
  const struct size_class *c = &arena_classes[class];
  bool zero;
  uint32_t page = run_alloc(c->pages, &zero);
  if (page == 0) return 0;
  struct page *e = &ARENA_MAP[page];
  uint8_t flags = span_flags();
  for (uint32_t i = 0; i < c->pages; i++)
    e[i] = (struct page){.kind = PAGE_SPAN, .flags = flags, .tag = (uint16_t) class, .run = i};
  e->flags |= PAGE_HEAD;
  struct span *s = span_at(page);
  if (!zero) memset(s->records, 0, c->count * sizeof(struct record));
  *s = (struct span){.free = SPAN_END, .dirty = !zero};
  push(class, page);
  return page;
}

void *span_take(uint32_t class, size_t bytes, unsigned site, bool clear) {
  const struct size_class *c = &arena_classes[class];
  uint32_t page = ARENA->partial[class];
  if (__builtin_expect(page == 0, 0) && (page = make(class)) == 0) return NULL;
  struct span *s = span_at(page);
  uint32_t i = s->free;
  if (i != SPAN_END)
    s->free = s->records[i].slack & SPAN_END;
  else
    i = s->touched++, clear &= s->dirty;
  s->records[i] = (struct record){(uint16_t)site, (uint16_t)(c->size - bytes)};
  ARENA_MAP[page].sites |= arena_site_bit(site);
  s->used++;
  if (__builtin_expect(s->free == SPAN_END && s->touched == c->count, 0)) take_out(class, page);
  char *p = (char *)s + c->data + i * c->size;
  if (clear) quick_clear(p, bytes);
  return p;
}

void span_put(uint32_t page, uint32_t i) {
  struct span *s = span_at(page);
  uint32_t class = ARENA_MAP[page].tag;
  bool had_room = s->free != SPAN_END || s->touched < arena_classes[class].count;
  s->records[i].slack = (uint16_t)(RECORD_FREE | s->free);
  s->free = (uint16_t)i;
  s->used--;
  if (!had_room) push(class, page);
  if (s->used > 0) return;
  /* One span of each class of small blocks stays, for the next allocation. */
  if (!s->next && !s->prev && arena_classes[class].size <= KEEP_SIZE) return;
  take_out(class, page);
  run_free(page, arena_classes[class].pages);
}

void span_transfer_begin(void) {
  memcpy(aside, ARENA->partial, sizeof(aside));
  memset(ARENA->partial, 0, sizeof(aside));
  transferring = true;
}

void span_transfer_end(void) {
  transferring = false;
  for (uint32_t class = 0; class < ARENA_CLASSES; class ++) {
    uint32_t last = 0;
    for (uint32_t page = ARENA->partial[class]; page; page = span_at(page)->next)
      last = page;
    if (!last) ARENA->partial[class] = aside[class];
    if (!last || !aside[class]) continue;
    span_at(last)->next = aside[class];
    span_at(aside[class])->prev = last;
  }
}

void span_forget_room(void) {
  memset(ARENA->partial, 0, sizeof(ARENA->partial));
}

/* A block that was never used, or being handed out for the first time: it is free. */
static bool record_unused(struct record r) {
  return r.site == 0 && r.slack == 0;
}

static const char *check_records(const struct span *s, const struct size_class *c) {
  for (uint32_t i = 0; i < s->touched; i++) {
    struct record r = s->records[i];
    if (record_unused(r) || r.slack & RECORD_FREE) continue;
    if (r.site == 0 || r.site >= ARENA->sites) return "a block is of no site";
    if (r.slack == 0 || r.slack > c->size) return "a block is of no size";
  }
  return NULL;
}

const char *span_recover(uint32_t page) {
  struct page *e = &ARENA_MAP[page];
  const struct size_class *c = &arena_classes[e->tag];
  struct span *s = span_at(page);
  if (s->touched > c->count) return "a span has too many blocks";
  const char *wrong = check_records(s, c);
  if (wrong) return wrong;
  s->free = SPAN_END;
  s->used = 0;
  for (uint32_t i = s->touched; i-- > 0;) {
    struct record *r = &s->records[i];
    if (record_live(*r)) {
      s->used++;
      e->sites |= arena_site_bit(r->site);
      continue;
    }
    r->slack = (uint16_t)(RECORD_FREE | s->free);
    s->free = (uint16_t)i;
  }
  /* One that was being handed out when the process ended belongs to nobody. */
  for (uint32_t i = s->touched; i < c->count; i++)
    if (!record_unused(s->records[i])) s->records[i] = (struct record){0, 0};
  s->next = s->prev = 0;
  if (s->used < c->count) push(e->tag, page);
  return NULL;
}

/* ---- what is wrong with a pointer ---- */

static void describe(const void *p, char *out, size_t cap) {
  uint32_t page = page_of(p);
  const struct page *e = &ARENA_MAP[page];
  const struct site *site;
  struct block b;
  if (arena_find((uintptr_t)p, true, &b)) {
    site = &ARENA_SITE[b.site];
    snprintf(out, cap, "points to byte %zu of a block of %zu bytes, allocated at %s:%u in %s",
             (size_t)((uintptr_t)p - b.address), b.bytes, site->file, site->line, site->function);
    return;
  }
  if (page < ARENA->top && e->kind == PAGE_SPAN) {
    const struct size_class *c = &arena_classes[e->tag];
    const struct span *s = span_at(head_of(page));
    uint32_t offset = (uint32_t)((const char *)p - (const char *)s) - c->data;
    uint32_t i = offset / c->size;
    if (i < c->count && s->records[i].site) {
      site = &ARENA_SITE[s->records[i].site];
      snprintf(out, cap,
               "was freed before; it was a block of at most %u bytes, allocated at %s:%u in %s",
               c->size - 1, site->file, site->line, site->function);
      return;
    }
  }
  snprintf(out, cap, "is no block of the heap%s",
           page < ARENA->top && e->kind == PAGE_FREE ? " (a large block may have been freed before)"
                                                     : "");
}

void span_bad_pointer(const void *p) {
  char text[256];
  describe(p, text, sizeof(text));
  fprintf(stderr, "libst: free or realloc of %p, which %s\n", p, text);
  abort();
}
