#include "libst/run.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/arena.h"

enum { DIRTY, CLEAN }; /* bins of free runs */

/* Free pages that are kept, since the page faults to get them again cost more than they are worth:
 * these and a share of the heap. */
enum { KEEP_PAGES = 2048, KEEP_SHARE = 64, PURGE_PAGES = 1024 };

static bool shared;

/* How much of a long run is given back already, when it is done in parts. */
static struct { uint32_t page, done; } purging;

static unsigned bin_of(uint32_t pages) {
  return 31 - (unsigned)__builtin_clz(pages);
}

static uint32_t *bin_for(const struct page *e) {
  return &ARENA->bins[e->flags & PAGE_CLEAN ? CLEAN : DIRTY][bin_of(e->run)];
}

static void bin_remove(uint32_t page) {
  struct page *e = &ARENA_MAP[page];
  if (e->free.prev)
    ARENA_MAP[e->free.prev].free.next = e->free.next;
  else
    *bin_for(e) = e->free.next;
  if (e->free.next) ARENA_MAP[e->free.next].free.prev = e->free.prev;
  if (!(e->flags & PAGE_CLEAN)) ARENA->dirty -= e->run;
  if (page == purging.page) purging.page = 0;
}

/* Enters a free run, which has no free neighbour, into its bin. */
static void bin_add(uint32_t page, uint32_t pages, bool clean) {
  struct page *e = &ARENA_MAP[page];
  ARENA_MAP[page + pages - 1] = (struct page){.kind = PAGE_FREE, .run = pages - 1};
  *e =
      (struct page){.kind = PAGE_FREE, .flags = PAGE_HEAD | (clean ? PAGE_CLEAN : 0), .run = pages};
  uint32_t *bin = bin_for(e);
  e->free.next = *bin;
  if (*bin) ARENA_MAP[*bin].free.prev = page;
  *bin = page;
  if (!clean) ARENA->dirty += pages;
}

static uint32_t find_in(const uint32_t *bins, uint32_t pages) {
  unsigned bin = bin_of(pages);
  for (uint32_t page = bins[bin]; page; page = ARENA_MAP[page].free.next)
    if (ARENA_MAP[page].run >= pages) return page;
  while (++bin < ARENA_BINS)
    if (bins[bin]) return bins[bin];
  return 0;
}

/* What has memory behind it comes first. */
static uint32_t find(uint32_t pages) {
  uint32_t page = find_in(ARENA->bins[DIRTY], pages);
  return page ? page : find_in(ARENA->bins[CLEAN], pages);
}

uint32_t run_alloc(uint32_t pages, bool *zero) {
  uint32_t page = find(pages);
  if (page) {
    bool clean = ARENA_MAP[page].flags & PAGE_CLEAN;
    uint32_t rest = ARENA_MAP[page].run - pages;
    bin_remove(page);
    if (rest) bin_add(page + pages, rest, clean);
    *zero = clean;
    return page;
  }
  if (pages > ARENA->pages - ARENA->top) {
    errno = ENOMEM;
    return 0;
  }
  page = ARENA->top;
  ARENA->top += pages;
  *zero = page >= ARENA->high;
  if (ARENA->top > ARENA->high) ARENA->high = ARENA->top;
  return page;
}

/* Enters a run that is free from now on, joined with its neighbours. */
static void give(uint32_t page, uint32_t pages) {
  for (uint32_t i = 0; i < pages; i++)
    ARENA_MAP[page + i].kind = PAGE_FREE;
  uint32_t after = page + pages;
  if (after < ARENA->top && ARENA_MAP[after].kind == PAGE_FREE) {
    bin_remove(after);
    pages += ARENA_MAP[after].run;
  }
  if (page > ARENA_FIRST && ARENA_MAP[page - 1].kind == PAGE_FREE) {
    uint32_t last = page - 1;
    uint32_t before = ARENA_MAP[last].flags & PAGE_HEAD ? last : last - ARENA_MAP[last].run;
    bin_remove(before);
    pages += page - before;
    page = before;
  }
  if (page + pages == ARENA->top)
    ARENA->top = page;
  else
    bin_add(page, pages, false);
}

uint32_t run_trim(uint32_t page, uint32_t total, uint32_t unit, uint32_t pages) {
  /* The base of the arena is aligned to more than any unit. */
  uint32_t start = (page + unit - 1) / unit * unit;
  /* Mark what is kept, so that freeing the ends does not join across it. */
  ARENA_MAP[start] = (struct page){.kind = PAGE_LARGE, .flags = PAGE_HEAD, .run = pages};
  ARENA_MAP[start + pages - 1].kind = PAGE_LARGE;
  if (start > page) give(page, start - page);
  if (page + total > start + pages) give(start + pages, page + total - start - pages);
  return start;
}

void run_free(uint32_t page, uint32_t pages) {
  give(page, pages);
  if (shared) arena_purge(PURGE_PAGES);
}

int run_each_free(uint32_t least, int (*visit)(uint32_t page, uint32_t pages)) {
  for (unsigned bin = 0; bin < 2 * ARENA_BINS; bin++) {
    uint32_t page = ARENA->bins[bin / ARENA_BINS][bin % ARENA_BINS];
    for (; page; page = ARENA_MAP[page].free.next) {
      int err = ARENA_MAP[page].run >= least ? visit(page, ARENA_MAP[page].run) : 0;
      if (err) return err;
    }
  }
  return 0;
}

void run_forget_free(void) {
  memset(ARENA->bins, 0, sizeof(ARENA->bins));
  ARENA->dirty = 0;
}

void run_recover(uint32_t page, uint32_t pages, bool clean) {
  bin_add(page, pages, clean);
}

/* ---- giving memory back ---- */

void run_set_shared(bool is_shared) {
  shared = is_shared;
}

/* @return whether the pages are zero now; where the kernel refuses, nothing is given back any more
 */
static bool punch(uint32_t page, uint32_t pages) {
  shared = madvise((void *)(ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT)),
                   (size_t)pages << ARENA_PAGE_SHIFT, MADV_REMOVE) == 0;
  return shared;
}

/* The end of the heap first, then the longest runs. @return how many pages were given back */
static uint32_t punch_some(uint32_t most) {
  uint32_t above = ARENA->high - ARENA->top;
  if (above > 0) {
    uint32_t pages = above < most ? above : most;
    if (!punch(ARENA->high - pages, pages)) return 0;
    ARENA->high -= pages;
    return pages;
  }
  for (unsigned bin = ARENA_BINS; bin-- > 0;) {
    uint32_t page = ARENA->bins[DIRTY][bin];
    if (!page) continue;
    uint32_t run = ARENA_MAP[page].run;
    if (purging.page != page) purging.done = 0;
    uint32_t pages = run - purging.done < most ? run - purging.done : most;
    if (!punch(page + purging.done, pages)) return 0;
    purging.page = page;
    purging.done += pages;
    if (purging.done == run) {
      bin_remove(page);
      bin_add(page, run, true);
    }
    return pages;
  }
  return 0;
}

bool arena_purge(uint32_t pages) {
  uint32_t keep = KEEP_PAGES + (ARENA->top - ARENA_FIRST) / KEEP_SHARE;
  while (shared && ARENA->dirty + (ARENA->high - ARENA->top) > keep) {
    uint32_t given = pages ? punch_some(pages) : 0;
    if (given == 0) return pages == 0;
    pages -= given;
  }
  return false;
}
