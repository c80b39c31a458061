#include "libst/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/run.h"

struct size_class arena_classes[ARENA_CLASSES];

/* Size class of (bytes + 16) / 16 up to 1,024 bytes; one byte more than asked for always fits. */
static uint8_t small_class[66];
static uint32_t classes;
static bool live;
static bool transferring;
static uint32_t aside[ARENA_CLASSES]; /* the old version's spans with room, during a transfer */

static uint32_t span_pages(uint32_t size) {
  if (size <= 64) return 1;
  if (size <= 256) return 2;
  if (size <= 1024) return 4;
  return size <= 4096 ? 16 : 32;
}

static void add_class(uint32_t size) {
  struct size_class *c = &arena_classes[classes++];
  uint32_t align = size % 64 == 0 ? 64 : size % 32 == 0 ? 32 : 16;
  uint32_t bytes = span_pages(size) * ARENA_PAGE;
  uint32_t count = (bytes - sizeof(struct span)) / (size + sizeof(struct record));
  uint32_t data;
  for (;; count--) {
    data = sizeof(struct span) + count * sizeof(struct record);
    data = (data + align - 1) & -align;
    if (data + count * size <= bytes) break;
  }
  *c = (struct size_class){
      size, bytes / ARENA_PAGE, count, data, (uint32_t)(((1ull << 32) + size - 1) / size), {0}};
}

/* The table is part of the arena's format: the same in each build. */
static void make_classes(void) {
  if (classes > 0) return;
  for (uint32_t size = 16; size <= 128; size += 16)
    add_class(size);
  for (uint32_t step = 32; step <= 2048; step *= 2)
    for (uint32_t k = 5; k <= 8; k++)
      add_class(step * k);
  for (uint32_t i = 1, c = 0; i < 66; i++) {
    while (arena_classes[c].size < i * 16)
      c++;
    small_class[i] = (uint8_t)c;
  }
}

int arena_reserve(void) {
  make_classes();
  void *p = mmap((void *)ARENA_BASE, ARENA_BYTES, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (p == MAP_FAILED) return -errno;
  return p == (void *)ARENA_BASE ? 0 : -EEXIST;
}

int arena_map(uintptr_t start, size_t bytes, int kind, int fd) {
  void *p = mmap((void *)start, bytes, PROT_READ | PROT_WRITE, kind | MAP_FIXED | MAP_NORESERVE, fd,
                 (off_t)(start - ARENA_BASE));
  if (p == MAP_FAILED) return -errno;
  madvise(p, bytes, MADV_DONTDUMP);
  return 0;
}

int arena_create(void) {
  int fd = memfd_create("state-heap", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  int err = ftruncate(fd, ARENA_BYTES) < 0 ? -errno : 0;
  if (!err) err = arena_map(ARENA_BASE, ARENA_BYTES, MAP_SHARED, fd);
  if (err) {
    close(fd);
    return err;
  }
  ARENA->magic = ARENA_MAGIC;
  ARENA->format = ARENA_FORMAT;
  ARENA->pages = ARENA_PAGES;
  ARENA->top = ARENA->high = ARENA_FIRST;
  ARENA->sites = 1;
  return fd;
}

int arena_adopt(int fd) {
  make_classes();
  int err = arena_map(ARENA_BASE, ARENA_BYTES, MAP_PRIVATE, fd);
  if (err) return err;
  if (ARENA->magic != ARENA_MAGIC || ARENA->format != ARENA_FORMAT || ARENA->pages != ARENA_PAGES)
    return -EPROTO;
  return 0;
}

void arena_start(bool shared) {
  run_set_shared(shared);
  live = true;
}

void arena_set_shared(void) {
  run_set_shared(true);
}

bool arena_live(void) {
  return live;
}

static struct span *span_at(uint32_t page) {
  return (struct span *)(ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT));
}

static uint32_t page_of(const void *p) {
  return (uint32_t)(((uintptr_t)p - ARENA_BASE) >> ARENA_PAGE_SHIFT);
}

/* Off the path of most calls, which is the faster the fewer registers it needs. */
#define SLOW __attribute__((noinline))

static uint32_t head_of(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  return e->flags & PAGE_HEAD ? page : page - e->run;
}

SLOW static void partial_push(uint32_t *list, uint32_t page) {
  struct span *s = span_at(page);
  s->prev = 0;
  s->next = *list;
  if (s->next) span_at(s->next)->prev = page;
  *list = page;
}

SLOW static void partial_remove(uint32_t *list, uint32_t page) {
  struct span *s = span_at(page);
  if (s->prev)
    span_at(s->prev)->next = s->next;
  else
    *list = s->next;
  if (s->next) span_at(s->next)->prev = s->prev;
}

static uint32_t class_of(size_t bytes) {
  if (bytes < 1024) return small_class[bytes / 16 + 1];
  size_t need = bytes + 1;
  uint32_t log = 63 - (uint32_t)__builtin_clzl(need - 1); /* 2^log < need <= 2^(log+1) */
  size_t step = (size_t)1 << (log - 2);
  return 8 + (log - 7) * 4 + (uint32_t)((need - 1 - ((size_t)1 << log)) / step);
}

static uint32_t largest(void) {
  return arena_classes[ARENA_CLASSES - 1].size;
}

/* Makes a span of `class` and puts it first among those with room. @return its page, or 0. */
SLOW static uint32_t span_new(uint32_t class) {
  const struct size_class *c = &arena_classes[class];
  bool zero;
  uint32_t page = run_alloc(c->pages, &zero);
  if (page == 0) return 0;
  for (uint32_t i = 0; i < c->pages; i++)
    ARENA_MAP[page + i] = (struct page){.kind = PAGE_SPAN, .tag = (uint16_t) class, .run = i};
  ARENA_MAP[page].run = c->pages;
  ARENA_MAP[page].flags = PAGE_HEAD | (transferring ? PAGE_FRESH : 0);
  struct span *s = span_at(page);
  *s = (struct span){.free = SPAN_END, .touched = zero ? 0 : SPAN_END};
  if (!zero) {
    /* The records of a run that was used before hold rests. */
    memset(s->records, 0, c->count * sizeof(struct record));
    for (uint32_t i = 0; i < c->count; i++)
      s->records[i].slack = (uint16_t)(i + 1 < c->count ? i + 1 : SPAN_END);
    s->free = 0;
  }
  partial_push(&ARENA->partial[class], page);
  return page;
}

/* Zeroes a block, whose size is a multiple of 16. A call of memset costs more than a small block.
 */
static inline void clear_block(char *p, uint32_t size) {
  if (size > 256) {
    memset(p, 0, size);
    return;
  }
  for (char *end = p + size; p < end; p += 16) {
    __builtin_memset(p, 0, 16);
    __asm__ volatile("" ::: "memory"); /* keeps the loop from becoming that call */
  }
}

static void *span_take(uint32_t class, size_t bytes, unsigned site, bool clear) {
  const struct size_class *c = &arena_classes[class];
  uint32_t page = ARENA->partial[class];
  if (__builtin_expect(page == 0, 0) && (page = span_new(class)) == 0) return NULL;
  struct span *s = span_at(page);
  uint32_t i = s->free;
  if (i != SPAN_END)
    s->free = s->records[i].slack;
  else
    i = s->touched++, clear = false;
  s->records[i] = (struct record){(uint16_t)site, (uint16_t)(c->size - bytes)};
  s->used++;
  if (__builtin_expect(s->free == SPAN_END && s->touched >= c->count, 0))
    partial_remove(&ARENA->partial[class], page);
  char *p = (char *)s + c->data + i * c->size;
  if (clear) clear_block(p, c->size);
  return p;
}

SLOW static void *large_take(size_t alignment, size_t bytes, unsigned site, bool clear) {
  if (bytes >= ARENA_BYTES / 2 || alignment >= ARENA_BYTES / 2) {
    errno = ENOMEM;
    return NULL;
  }
  uint32_t pages = (uint32_t)((bytes + ARENA_PAGE) >> ARENA_PAGE_SHIFT);
  uint32_t unit = alignment > ARENA_PAGE ? (uint32_t)(alignment >> ARENA_PAGE_SHIFT) : 1;
  bool zero;
  uint32_t page = run_alloc(pages + unit - 1, &zero);
  if (page == 0) return NULL;
  if (unit > 1) page = run_trim(page, pages + unit - 1, unit, pages);
  for (uint32_t i = 0; i < pages; i++)
    ARENA_MAP[page + i] = (struct page){.kind = PAGE_LARGE, .tag = (uint16_t)site, .run = i};
  ARENA_MAP[page].run = pages;
  ARENA_MAP[page].flags = PAGE_HEAD | (transferring ? PAGE_FRESH : 0);
  ARENA_MAP[page].bytes = bytes;
  void *p = span_at(page);
  return clear && !zero ? memset(p, 0, bytes) : p;
}

void *arena_alloc(size_t bytes, unsigned site, bool clear) {
  if (__builtin_expect(bytes < largest(), 1)) return span_take(class_of(bytes), bytes, site, clear);
  return large_take(16, bytes, site, clear);
}

void *arena_alloc_aligned(size_t alignment, size_t bytes, unsigned site, bool clear) {
  if (alignment <= 16) return arena_alloc(bytes, site, clear);
  if (alignment <= 64 && bytes < largest() / 2) {
    uint32_t class = class_of(bytes);
    while (arena_classes[class].size % alignment != 0)
      class ++;
    return span_take(class, bytes, site, clear);
  }
  return large_take(alignment, bytes, site, clear);
}

__attribute__((noreturn, cold)) SLOW static void bad_pointer(const void *p) {
  fprintf(stderr, "libst: free or realloc of %p, which is no block of the heap\n", p);
  abort();
}

/* The block that starts at `p`. */
static inline uint32_t span_index(const struct span *s, const struct size_class *c, const void *p) {
  uint32_t offset = (uint32_t)((const char *)p - (const char *)s) - c->data;
  uint32_t i = (uint32_t)(((uint64_t)offset * c->divide) >> 32);
  if (__builtin_expect(i >= c->count || i * c->size != offset || s->records[i].site == 0, 0))
    bad_pointer(p);
  return i;
}

static uint32_t large_head(const void *p) {
  uint32_t page = page_of(p);
  const struct page *e = &ARENA_MAP[page];
  if (e->kind != PAGE_LARGE || !(e->flags & PAGE_HEAD) || (const void *)span_at(page) != p)
    bad_pointer(p);
  return page;
}

SLOW static void free_large(void *p) {
  uint32_t page = large_head(p);
  run_free(page, ARENA_MAP[page].run);
}

/* The span had no room, or holds nothing any more. */
SLOW static void free_in_list(uint32_t page, bool had_room) {
  uint32_t class = ARENA_MAP[page].tag;
  struct span *s = span_at(page);
  if (!had_room) partial_push(&ARENA->partial[class], page);
  /* One span of each class stays, for the next allocation. */
  if (s->used > 0 || (!s->next && !s->prev)) return;
  partial_remove(&ARENA->partial[class], page);
  run_free(page, arena_classes[class].pages);
}

void arena_free(void *p) {
  uint32_t page = page_of(p);
  const struct page *e = &ARENA_MAP[page];
  if (__builtin_expect(e->kind != PAGE_SPAN, 0)) {
    free_large(p);
    return;
  }
  const struct size_class *c = &arena_classes[e->tag];
  if (!(e->flags & PAGE_HEAD)) page -= e->run;
  struct span *s = span_at(page);
  uint32_t i = span_index(s, c, p);
  bool had_room = s->free != SPAN_END || s->touched < c->count;
  s->records[i] = (struct record){0, s->free};
  s->free = (uint16_t)i;
  s->used--;
  if (__builtin_expect(!had_room || s->used == 0, 0)) free_in_list(page, had_room);
}

bool arena_release_full(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  if (span_at(page)->used != arena_classes[e->tag].count) return false;
  run_free(page, e->run);
  return true;
}

bool arena_resize(void *p, size_t bytes, unsigned site, bool clear) {
  uint32_t page = page_of(p);
  size_t old;
  if (ARENA_MAP[page].kind == PAGE_SPAN) {
    const struct size_class *c = &arena_classes[ARENA_MAP[page].tag];
    struct span *s = span_at(head_of(page));
    uint32_t i = span_index(s, c, p);
    if (bytes >= c->size || c->size - bytes > 2 * sizeof(void *) + c->size / 2) return false;
    old = c->size - s->records[i].slack;
    s->records[i] = (struct record){(uint16_t)site, (uint16_t)(c->size - bytes)};
  } else {
    struct page *e = &ARENA_MAP[large_head(p)];
    size_t capacity = (size_t)e->run << ARENA_PAGE_SHIFT;
    if (bytes >= capacity || bytes < capacity / 2 || bytes < largest()) return false;
    old = e->bytes;
    e->bytes = bytes;
    e->tag = (uint16_t)site;
  }
  if (clear && bytes > old) memset((char *)p + old, 0, bytes - old);
  return true;
}

size_t arena_bytes(const void *p, unsigned *site) {
  uint32_t page = page_of(p);
  if (ARENA_MAP[page].kind == PAGE_SPAN) {
    const struct size_class *c = &arena_classes[ARENA_MAP[page].tag];
    const struct span *s = span_at(head_of(page));
    struct record r = s->records[span_index(s, c, p)];
    *site = r.site;
    return c->size - r.slack;
  }
  page = large_head(p);
  *site = ARENA_MAP[page].tag;
  return ARENA_MAP[page].bytes;
}

bool arena_find(uintptr_t address, bool fresh, struct block *out) {
  if (!arena_has((void *)address)) return false;
  uint32_t page = page_of((void *)address);
  if (page >= ARENA->top) return false;
  const struct page *e = &ARENA_MAP[page];
  if (e->kind != PAGE_SPAN && e->kind != PAGE_LARGE) return false;
  page = head_of(page);
  if (!fresh && (ARENA_MAP[page].flags & PAGE_FRESH)) return false;
  if (e->kind == PAGE_LARGE) {
    *out = (struct block){(uintptr_t)span_at(page),
                          ARENA_MAP[page].bytes,
                          (size_t)ARENA_MAP[page].run << ARENA_PAGE_SHIFT,
                          ARENA_MAP[page].tag,
                          page,
                          0};
    return true;
  }
  const struct size_class *c = &arena_classes[e->tag];
  const struct span *s = span_at(page);
  uintptr_t data = (uintptr_t)s + c->data;
  if (address < data) return false;
  uint32_t i = (uint32_t)(((uint64_t)(uint32_t)(address - data) * c->divide) >> 32);
  if (i >= c->count || s->records[i].site == 0) return false;
  *out = (struct block){
      data + i * c->size, c->size - s->records[i].slack, c->size, s->records[i].site, page, i};
  return true;
}

static int each_in_span(uint32_t page, int (*visit)(const struct block *, void *), void *ctx) {
  const struct size_class *c = &arena_classes[ARENA_MAP[page].tag];
  const struct span *s = span_at(page);
  uintptr_t data = (uintptr_t)s + c->data;
  uint32_t left = s->used;
  for (uint32_t i = 0; left > 0 && i < c->count; i++) {
    struct record r = s->records[i];
    if (r.site == 0) continue;
    left--;
    struct block b = {data + i * c->size, c->size - r.slack, c->size, r.site, page, i};
    int err = visit(&b, ctx);
    if (err) return err;
  }
  return 0;
}

int arena_each(int (*visit)(const struct block *, void *), void *ctx) {
  uint32_t step, top = ARENA->top;
  for (uint32_t page = ARENA_FIRST; page < top; page += step) {
    const struct page *e = &ARENA_MAP[page];
    int err = 0;
    step = e->run ? e->run : 1;
    if (e->flags & PAGE_FRESH) continue;
    if (e->kind == PAGE_SPAN) {
      err = each_in_span(page, visit, ctx);
    } else if (e->kind == PAGE_LARGE) {
      struct block b = {
          (uintptr_t)span_at(page), e->bytes, (size_t)e->run << ARENA_PAGE_SHIFT, e->tag, page, 0};
      err = visit(&b, ctx);
    }
    if (err) return err;
  }
  return 0;
}

void arena_set_bytes(const struct block *b, size_t bytes) {
  if (ARENA_MAP[b->page].kind == PAGE_LARGE)
    ARENA_MAP[b->page].bytes = bytes;
  else
    span_at(b->page)->records[b->index].slack = (uint16_t)(b->capacity - bytes);
}

int arena_transfer_begin(void) {
  /* Over a hole of the old version's memfd each first write would also make a page of zeros in the
   * memfd: twice the time and the memory. */
  uintptr_t unused = ARENA_BASE + ((uintptr_t)ARENA->top << ARENA_PAGE_SHIFT);
  size_t bytes = ARENA_BASE + ARENA_BYTES - unused;
  if (mmap((void *)unused, bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
    return -errno;
  madvise((void *)unused, bytes, MADV_DONTDUMP);
  memcpy(aside, ARENA->partial, sizeof(aside));
  memset(ARENA->partial, 0, sizeof(aside));
  transferring = true;
  return 0;
}

void arena_transfer_end(void) {
  transferring = false;
  /* Fresh runs are few and known only to the page map. */
  for (uint32_t page = ARENA_FIRST, step; page < ARENA->top; page += step) {
    struct page *e = &ARENA_MAP[page];
    step = e->run ? e->run : 1;
    if (e->flags & PAGE_FRESH) e->flags &= (uint8_t)~PAGE_FRESH;
  }
  for (uint32_t class = 0; class < ARENA_CLASSES; class ++) {
    uint32_t fresh = ARENA->partial[class], last = 0;
    if (!aside[class]) continue;
    for (uint32_t page = fresh; page; page = span_at(page)->next)
      last = page;
    if (!last) {
      ARENA->partial[class] = aside[class];
      continue;
    }
    span_at(last)->next = aside[class];
    span_at(aside[class])->prev = last;
  }
}
