#include "libst/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/class.h"
#include "libst/find.h"
#include "libst/quick.h"
#include "libst/run.h"
#include "libst/span.h"

static bool live;

int arena_reserve(void) {
  classes_make();
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
  classes_make();
  for (unsigned class = 0; class < ARENA_CLASSES; class ++)
    arena_quick[class].top = arena_quick[class].held;
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

static void *large_take(size_t alignment, size_t bytes, unsigned site, bool clear) {
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
    ARENA_MAP[page + i] =
        (struct page){.kind = PAGE_LARGE, .flags = span_flags(), .tag = (uint16_t)site, .run = i};
  ARENA_MAP[page].run = pages;
  ARENA_MAP[page].flags |= PAGE_HEAD;
  ARENA_MAP[page].bytes = bytes;
  void *p = span_at(page);
  return clear && !zero ? memset(p, 0, bytes) : p;
}

void *arena_alloc_slow(size_t bytes, unsigned site, bool points, bool clear) {
  if (bytes >= ARENA_SMALL) return large_take(16, bytes, site, clear);
  return span_take(arena_class_of[bytes / 16] + points, bytes, site, clear);
}

/* Does the site's type have pointers, so that its blocks lie among their like? */
static bool may_point(unsigned site) {
  return ARENA_SITE[site].flags & SITE_CLEAR;
}

void *arena_alloc(size_t bytes, unsigned site, bool clear) {
  return quick_take(bytes, site, may_point(site), clear);
}

void *arena_alloc_aligned(size_t alignment, size_t bytes, unsigned site, bool clear) {
  if (alignment <= 16) return arena_alloc(bytes, site, clear);
  if (alignment > 256 || bytes >= ARENA_SMALL / 2) return large_take(alignment, bytes, site, clear);
  uint32_t class = arena_class_of[bytes / 16] + may_point(site);
  while (arena_classes[class].size % alignment != 0)
    class += 2;
  return span_take(class, bytes, site, clear);
}

void *arena_reuse(void *block, unsigned site, size_t clear) {
  ARENA_MAP[head_of(page_of(block))].sites |= arena_site_bit(site);
  return quick_clear(block, clear);
}

static uint32_t large_head(const void *p) {
  uint32_t page = page_of(p);
  const struct page *e = &ARENA_MAP[page];
  if (e->kind != PAGE_LARGE || !(e->flags & PAGE_HEAD) || (const void *)span_at(page) != p)
    span_bad_pointer(p);
  return page;
}

void arena_free_large(void *p) {
  uint32_t page = large_head(p);
  run_free(page, ARENA_MAP[page].run);
}

void arena_free(void *p) {
  quick_give(p);
}

void arena_settle(void) {
  for (uint32_t class = 0; class < ARENA_CLASSES; class ++) {
    struct quick *q = &arena_quick[class];
    for (; q->top->block; q->top--) {
      uint32_t page = head_of(page_of(q->top->block));
      span_put(page, (uint32_t)(q->top->record - span_at(page)->records));
    }
  }
}

bool arena_release_full(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  if (span_at(page)->used != arena_classes[e->tag].count) return false;
  run_free(page, arena_classes[e->tag].pages);
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
    ARENA_MAP[head_of(page)].sites |= arena_site_bit(site);
    s->records[i] = (struct record){(uint16_t)site, (uint16_t)(c->size - bytes)};
  } else {
    struct page *e = &ARENA_MAP[large_head(p)];
    size_t capacity = (size_t)e->run << ARENA_PAGE_SHIFT;
    if (bytes >= capacity || bytes < capacity / 2 || bytes < ARENA_SMALL) return false;
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
  return find_block(address, fresh, out);
}

static int each_in_span(uint32_t page, uint64_t sites, int (*visit)(const struct block *, void *),
                        void *ctx) {
  const struct size_class *c = &arena_classes[ARENA_MAP[page].tag];
  const struct span *s = span_at(page);
  uintptr_t data = (uintptr_t)s + c->data;
  uint32_t left = s->used;
  for (uint32_t i = 0; left > 0 && i < s->touched; i++) {
    struct record r = s->records[i];
    if (!record_live(r)) continue;
    left--;
    if (!(sites & arena_site_bit(r.site))) continue;
    struct block b = {data + i * c->size, c->size - r.slack, c->size, r.site, page, i};
    int err = visit(&b, ctx);
    if (err) return err;
  }
  return 0;
}

int arena_each_of(uint64_t sites, int (*visit)(const struct block *, void *), void *ctx) {
  uint32_t step, top = ARENA->top;
  for (uint32_t page = ARENA_FIRST; page < top; page += step) {
    const struct page *e = &ARENA_MAP[page];
    int err = 0;
    step = arena_run_pages(e);
    if (e->flags & PAGE_FRESH) continue;
    if (e->kind == PAGE_SPAN && (e->sites & sites))
      err = each_in_span(page, sites, visit, ctx);
    else if (e->kind == PAGE_LARGE && (arena_site_bit(e->tag) & sites))
      err = visit(&(struct block[]){large_block(page)}[0], ctx);
    if (err) return err;
  }
  return 0;
}

int arena_each(int (*visit)(const struct block *, void *), void *ctx) {
  return arena_each_of(~0ull, visit, ctx);
}

void arena_set_bytes(const struct block *b, size_t bytes) {
  if (ARENA_MAP[b->page].kind == PAGE_LARGE)
    ARENA_MAP[b->page].bytes = bytes;
  else
    span_at(b->page)->records[b->index].slack = (uint16_t)(b->capacity - bytes);
}

static int map_fresh(uintptr_t start, uintptr_t end) {
  if (start >= end) return 0;
  if (mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
    return -errno;
  madvise((void *)start, end - start, MADV_DONTDUMP);
  return 0;
}

static uintptr_t page_address(uint32_t page) {
  return ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT);
}

/* The page of the page map behind that of the last page in use. */
static uintptr_t map_end(uint32_t top) {
  return ((uintptr_t)&ARENA_MAP[top] + ARENA_PAGE - 1) & -ARENA_PAGE;
}

static uint32_t fresh_from; /* pages from here on are fresh memory; 0 = none */

/* Over a hole of the old version's memfd each first write would also make a page of zeros in the
 * memfd: twice the time and the memory. */
static int map_all_fresh(uint32_t top) {
  int err = map_fresh(page_address(top), ARENA_BASE + ARENA_BYTES);
  if (!err) err = map_fresh(map_end(top), (uintptr_t)ARENA_SITE);
  if (!err) fresh_from = top;
  return err;
}

void arena_prepare(uint32_t pages) {
  uint32_t top = ARENA->top;
  if (top >= ARENA_PAGES || map_all_fresh(top) < 0) return;
  if (pages > ARENA_PAGES - top) pages = ARENA_PAGES - top;
  madvise((void *)page_address(top), (size_t)pages << ARENA_PAGE_SHIFT, MADV_POPULATE_WRITE);
  uintptr_t start = map_end(top), end = map_end(top + pages);
  if (end > start) madvise((void *)start, end - start, MADV_POPULATE_WRITE);
}

/* The same for a free run, when it is long enough to be worth a system call. */
enum { FRESH_RUN = 64 };

static int map_run_fresh(uint32_t page, uint32_t pages) {
  return map_fresh(page_address(page), page_address(page + pages));
}

int arena_transfer_begin(int fd) {
  uint32_t top = ARENA->top;
  int err = 0;
  if (fresh_from == 0 || top < fresh_from) {
    err = map_all_fresh(top);
  } else if (top > fresh_from) {
    /* The old heap grew after the preparation, over what was made ready. */
    err = arena_map(page_address(fresh_from), page_address(top) - page_address(fresh_from),
                    MAP_PRIVATE, fd);
    if (!err && map_end(top) > map_end(fresh_from))
      err = arena_map(map_end(fresh_from), map_end(top) - map_end(fresh_from), MAP_PRIVATE, fd);
  }
  fresh_from = 0;
  if (!err) err = run_each_free(FRESH_RUN, map_run_fresh);
  if (!err) span_transfer_begin();
  return err;
}

void arena_transfer_end(void) {
  uint32_t pages;
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += pages) {
    pages = arena_run_pages(&ARENA_MAP[page]);
    if (!(ARENA_MAP[page].flags & PAGE_FRESH)) continue;
    for (uint32_t i = 0; i < pages; i++)
      ARENA_MAP[page + i].flags &= (uint8_t)~PAGE_FRESH;
  }
  span_transfer_end();
}
