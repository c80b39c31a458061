#include "servers/storage/writeback.h"

#include <stdlib.h>

#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/disk.h"
#include "servers/storage/flush.h"
#include "servers/storage/volume.h"
#include "servers/storage/wanted.h"

enum { BATCH = 512 /* pages that are looked for at a time */ };

static uint32_t max_dirty, max_age_s;

void writeback_init(uint32_t most, uint32_t age_s) {
  max_dirty = most ? most : cache_size() / 4;
  max_age_s = age_s;
}

bool writeback_is_behind(void) {
  return cache_count(PAGES_DIRTY) >= max_dirty;
}

static int by_block(const void *a, const void *b) {
  uint64_t x = cache_page(*(const uint32_t *)a)->block, y = cache_page(*(const uint32_t *)b)->block;
  return x < y ? -1 : x > y;
}

static void begin_page(uint32_t page) {
  struct page *p = cache_page(page);
  p->flags = (p->flags & ~PAGE_DIRTY) | PAGE_WRITING;
  if (p->flags & PAGE_WANTED) p->flags |= PAGE_WANTED_NOW;
  cache_sort_in(page);
}

/* How many of the pages have blocks that follow each other. */
static uint32_t run(const uint32_t *pages, uint32_t count) {
  uint32_t n = 1, most = disk_run_max();
  while (n < count && n < most &&
         cache_page(pages[n])->block == cache_page(pages[n - 1])->block + 1)
    n++;
  return n;
}

static void write_pages(uint32_t *pages, uint32_t count) {
  qsort(pages, count, sizeof *pages, by_block);
  for (uint32_t at = 0, n; at < count && disk_has_room(1); at += n) {
    n = run(pages + at, count - at);
    uint64_t first = cache_page(pages[at])->block;
    disk_begin(FOR_CACHE_WRITE, DISK_WRITE, first, n, pages + at, 0);
    for (uint32_t i = 0; i < n; i++)
      begin_page(pages[at + i]);
  }
}

/* Those that have one of `flags` and are not younger than `age_s`; at most `most`. */
static void write_back(uint32_t flags, uint32_t age_s, uint32_t most) {
  uint32_t pages[BATCH], n = 0, now = cache_clock();
  uint32_t page = cache_oldest(PAGES_DIRTY);
  for (; page != NO_PAGE && n < BATCH && n < most; page = cache_newer(page)) {
    const struct page *p = cache_page(page);
    if (p->flags & flags && !(p->flags & PAGE_WRITING) && now - p->dirty_since >= age_s)
      pages[n++] = page;
  }
  write_pages(pages, n);
}

void writeback_all(void) {
  write_back(PAGE_DIRTY, 0, BATCH);
}

void writeback_wanted(void) {
  write_back(PAGE_WANTED, 0, BATCH);
}

void writeback_turn_end(void) {
  uint32_t dirty = cache_count(PAGES_DIRTY);
  if (dirty > max_dirty / 2 && disk_under_way() < 32) write_back(PAGE_DIRTY, 0, BATCH);
}

void writeback_tick(void) {
  write_back(PAGE_DIRTY, max_age_s, BATCH);
}

static void end_page(uint32_t page, int status) {
  struct page *p = cache_page(page);
  p->flags &= ~PAGE_WRITING;
  if (!status) {
    p->written = flush_needed();
    if (!(p->flags & PAGE_DIRTY)) p->flags &= ~PAGE_FRESH;
  } else if (p->inode) {
    cache_dirtied(page, p->inode, p->flags & PAGE_FRESH);
  }
  if (p->flags & PAGE_WANTED_NOW && !status) {
    p->flags &= ~(PAGE_WANTED | PAGE_WANTED_NOW);
    wanted_has_page();
  }
  p->flags &= ~PAGE_WANTED_NOW;
  cache_sort_in(page);
}

void writeback_done(const uint32_t *pages, uint32_t count, int status) {
  for (uint32_t i = 0; i < count; i++)
    end_page(pages[i], status);
  if (status) volume_fail("data cannot be written");
  commit_look();
}
