#include "servers/storage/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/commit.h"
#include "servers/storage/disk.h"
#include "servers/storage/flush.h"
#include "servers/storage/parked.h"
#include "servers/storage/writeback.h"

enum {
  NEIGHBOURS = 8, /* metadata that is read together, blocks */
  POLLS = 100000, /* of the disk, before there is no page to be had */
};

struct cache_counts cache_counts;

struct list {
  uint32_t newest, oldest, count;
};

static struct {
  struct page *pages;
  uint32_t *buckets; /* first page of each */
  uint32_t npages, nbuckets;
  struct list lists[PAGE_LISTS];
} cache;

/* ---- lists ---- */

static void unlist(uint32_t page) {
  struct page *p = &cache.pages[page];
  if (p->list == PAGE_LISTS) return;
  struct list *l = &cache.lists[p->list];
  if (p->newer == NO_PAGE)
    l->newest = p->older;
  else
    cache.pages[p->newer].older = p->older;
  if (p->older == NO_PAGE)
    l->oldest = p->newer;
  else
    cache.pages[p->older].newer = p->newer;
  l->count--;
  p->list = PAGE_LISTS;
}

static void enlist(uint32_t page, enum page_list list) {
  struct page *p = &cache.pages[page];
  struct list *l = &cache.lists[list];
  p->list = list;
  p->newer = NO_PAGE;
  p->older = l->newest;
  if (l->newest == NO_PAGE)
    l->oldest = page;
  else
    cache.pages[l->newest].newer = page;
  l->newest = page;
  l->count++;
}

static void move(uint32_t page, enum page_list list) {
  unlist(page);
  enlist(page, list);
}

/* ---- the table ---- */

static uint32_t *bucket(uint64_t block) {
  return &cache.buckets[(block * 0x9E3779B97F4A7C15u >> 32) & (cache.nbuckets - 1)];
}

static void enter_table(uint32_t page) {
  uint32_t *first = bucket(cache.pages[page].block);
  cache.pages[page].same_bucket = *first;
  *first = page;
}

static void leave_table(uint32_t page) {
  uint32_t *at = bucket(cache.pages[page].block);
  while (*at != page)
    at = &cache.pages[*at].same_bucket;
  *at = cache.pages[page].same_bucket;
}

uint32_t cache_find(uint64_t block) {
  uint32_t page = *bucket(block);
  while (page != NO_PAGE && cache.pages[page].block != block)
    page = cache.pages[page].same_bucket;
  return page;
}

uint32_t cache_use(uint64_t block) {
  uint32_t page = cache_find(block);
  if (page != NO_PAGE && cache.pages[page].list == PAGES_CLEAN &&
      cache.lists[PAGES_CLEAN].newest != page)
    move(page, PAGES_CLEAN);
  return page;
}

/* ---- all of it ---- */

int cache_init(uint32_t limit) {
  cache.npages = limit && limit < disk_pages() ? limit : disk_pages();
  for (cache.nbuckets = 64; cache.nbuckets < cache.npages;)
    cache.nbuckets *= 2;
  cache.pages = calloc(cache.npages, sizeof *cache.pages);
  cache.buckets = calloc(cache.nbuckets, sizeof *cache.buckets);
  if (!cache.pages || !cache.buckets) return -ENOMEM;
  cache_drop_all();
  return 0;
}

void cache_drop_all(void) {
  for (uint32_t i = 0; i < PAGE_LISTS; i++)
    cache.lists[i] = (struct list){NO_PAGE, NO_PAGE, 0};
  for (uint32_t i = 0; i < cache.nbuckets; i++)
    cache.buckets[i] = NO_PAGE;
  for (uint32_t i = 0; i < cache.npages; i++) {
    cache.pages[i] = (struct page){.list = PAGE_LISTS};
    enlist(i, PAGES_FREE);
  }
}

uint32_t cache_size(void) {
  return cache.npages;
}

uint32_t cache_count(enum page_list list) {
  return cache.lists[list].count;
}

struct page *cache_page(uint32_t page) {
  return &cache.pages[page];
}

uint32_t cache_oldest(enum page_list list) {
  return cache.lists[list].oldest;
}

uint32_t cache_newer(uint32_t page) {
  return cache.pages[page].newer;
}

uint32_t cache_clock(void) {
  return (uint32_t)(sys_time_us() / 1000000);
}

/* ---- pages to be had ---- */

static bool is_evictable(const struct page *p) {
  return !(p->flags & (PAGE_READING | PAGE_WRITING | PAGE_COMMITTED | PAGE_WANTED)) &&
         flush_is_done(p->written);
}

uint32_t cache_take(void) {
  uint32_t page = cache.lists[PAGES_FREE].oldest;
  if (page == NO_PAGE) {
    page = cache.lists[PAGES_CLEAN].oldest;
    while (page != NO_PAGE && !is_evictable(&cache.pages[page]))
      page = cache.pages[page].newer;
    if (page == NO_PAGE) {
      flush_begin(); /* what was written can be taken then */
      return NO_PAGE;
    }
    leave_table(page);
  }
  unlist(page);
  cache.pages[page] = (struct page){.list = PAGE_LISTS};
  return page;
}

void cache_give_back(uint32_t page) {
  cache.pages[page] = (struct page){.list = PAGE_LISTS};
  enlist(page, PAGES_FREE);
  parked_wake();
}

bool cache_can_take(uint32_t pages) {
  uint32_t found = cache.lists[PAGES_FREE].count;
  uint32_t page = cache.lists[PAGES_CLEAN].oldest;
  for (; page != NO_PAGE && found < pages; page = cache.pages[page].newer)
    found += is_evictable(&cache.pages[page]);
  return found >= pages;
}

uint32_t cache_enter(uint64_t block) {
  uint32_t page = cache_take();
  if (page == NO_PAGE) return page;
  cache.pages[page].block = block;
  enter_table(page);
  enlist(page, PAGES_CLEAN);
  return page;
}

/* Where the caller cannot come back later. */
static uint32_t enter_wait(uint64_t block) {
  uint32_t page = cache_enter(block);
  for (unsigned i = 0; page == NO_PAGE && i < POLLS; i++) {
    writeback_all();
    flush_begin();
    disk_poll();
    page = cache_enter(block);
  }
  return page;
}

void cache_settle(uint32_t page, uint32_t flags) {
  for (unsigned i = 0; cache.pages[page].flags & flags && i < POLLS; i++)
    disk_poll();
}

uint32_t cache_overwrite(uint64_t block) {
  uint32_t page = cache_use(block);
  if (page == NO_PAGE) return enter_wait(block);
  cache_settle(page, PAGE_READING); /* what comes from the disk must not come afterwards */
  return page;
}

/* ---- reading ---- */

static void forget_page(uint32_t page) {
  leave_table(page);
  unlist(page);
  cache_give_back(page);
}

void cache_read_done(const uint32_t *pages, uint32_t count, int status) {
  for (uint32_t i = 0; i < count; i++) {
    struct page *p = &cache.pages[pages[i]];
    p->flags &= ~PAGE_READING;
    if (!status)
      p->flags |= PAGE_VALID;
    else if (!(p->flags & PAGE_VALID))
      p->flags |= PAGE_FAILED;
  }
}

/* Pages for what of [block, block + count) is not there up to the first that is, or has no room. */
static uint32_t enter_run(uint64_t block, uint32_t count, uint32_t *pages) {
  uint32_t n = 0;
  for (; n < count && cache_find(block + n) == NO_PAGE; n++) {
    pages[n] = cache_enter(block + n);
    if (pages[n] == NO_PAGE) break;
    cache.pages[pages[n]].flags = PAGE_READING;
  }
  return n;
}

uint32_t cache_begin_reading(uint64_t block, uint32_t count) {
  uint32_t pages[DISK_REQUEST_PAGES], begun = 0, most = disk_run_max();
  for (uint32_t at = 0; at < count;) {
    if (cache_find(block + at) != NO_PAGE) {
      at++;
      continue;
    }
    if (!disk_has_room(1)) break;
    uint32_t n = enter_run(block + at, count - at < most ? count - at : most, pages);
    if (n == 0) break;
    disk_begin(FOR_CACHE_READ, DISK_READ, block + at, n, pages, 0);
    at += n;
    begun += n;
  }
  return begun;
}

/* Metadata lies together: some of what follows is read as well. */
static uint32_t read_neighbours(uint64_t block) {
  uint32_t pages[NEIGHBOURS], most = disk_run_max();
  uint64_t left = disk_blocks() - block;
  uint32_t count = most < NEIGHBOURS ? most : NEIGHBOURS;
  if (block >= disk_blocks()) return NO_PAGE;
  if (left < count) count = (uint32_t)left;
  pages[0] = enter_wait(block);
  if (pages[0] == NO_PAGE) return NO_PAGE;
  cache.pages[pages[0]].flags = PAGE_READING;
  uint32_t n = 1 + enter_run(block + 1, count - 1, pages + 1);
  int status = disk_wait(DISK_READ, block, n, pages, 0);
  cache_read_done(pages, n, status);
  if (!status) return pages[0];
  forget_page(pages[0]);
  return NO_PAGE;
}

char *cache_read_wait(uint64_t block) {
  uint32_t page = cache_use(block);
  for (unsigned i = 0; page != NO_PAGE && cache.pages[page].flags & PAGE_READING && i < POLLS;
       i++) {
    disk_poll();
    page = cache_find(block);
  }
  if (page != NO_PAGE && cache.pages[page].flags & PAGE_FAILED) {
    forget_page(page);
    page = NO_PAGE;
  }
  if (page == NO_PAGE) {
    cache_counts.misses++;
    page = read_neighbours(block);
  } else {
    cache_counts.hits++;
  }
  return page == NO_PAGE ? NULL : disk_page(page);
}

/* ---- what is changed ---- */

void cache_sort_in(uint32_t page) {
  const struct page *p = &cache.pages[page];
  enum page_list list = p->flags & PAGE_CHANGED ? PAGES_CHANGED
                        : p->flags & PAGE_DIRTY ? PAGES_DIRTY
                                                : PAGES_CLEAN;
  if (p->list != list) move(page, list);
}

void cache_changed(uint32_t page) {
  struct page *p = &cache.pages[page];
  p->flags &= ~(PAGE_DIRTY | PAGE_FRESH | PAGE_FAILED);
  p->flags |= PAGE_CHANGED | PAGE_VALID;
  p->inode = 0;
  cache_sort_in(page);
}

void cache_dirtied(uint32_t page, uint32_t inode, bool fresh) {
  struct page *p = &cache.pages[page];
  if (!(p->flags & PAGE_DIRTY)) p->dirty_since = cache_clock();
  p->flags &= ~(PAGE_CHANGED | PAGE_FAILED);
  p->flags |= PAGE_DIRTY | PAGE_VALID | (fresh ? PAGE_FRESH : 0);
  p->inode = inode;
  cache_sort_in(page);
}

/* What a commit waits for is written all the same: the block belongs to its file until the next
 * transaction has committed, and is not used before. */
void cache_forget(uint64_t block) {
  uint32_t page = cache_find(block);
  if (page == NO_PAGE) return;
  struct page *p = &cache.pages[page];
  p->inode = 0;
  p->flags &= ~(PAGE_CHANGED | PAGE_FRESH | PAGE_VALID);
  if (!(p->flags & PAGE_WANTED)) p->flags &= ~PAGE_DIRTY;
  if (p->flags & (PAGE_READING | PAGE_WRITING | PAGE_COMMITTED | PAGE_WANTED))
    cache_sort_in(page);
  else
    forget_page(page);
}

/* Data that was written and not flushed is written again; metadata the commit still has. */
void cache_lost(void) {
  for (uint32_t i = 0; i < cache.npages; i++) {
    struct page *p = &cache.pages[i];
    if (p->list != PAGES_CLEAN || !p->inode || flush_is_done(p->written)) continue;
    if (p->flags & PAGE_VALID) cache_dirtied(i, p->inode, false);
  }
}
