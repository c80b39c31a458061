#include "libst/run.h"

#include <errno.h>
#include <sys/mman.h>

#include "libst/arena.h"

/* Runs from this size on are given back to the kernel when freed; smaller ones are kept, since the
 * page faults to get them again cost more than they are worth. */
enum { PURGE_PAGES = 256 };

static bool shared;

void run_set_shared(bool is_shared) {
  shared = is_shared;
}

static unsigned bin_of(uint32_t pages) {
  return 31 - (unsigned)__builtin_clz(pages);
}

static void bin_remove(uint32_t page) {
  struct page *e = &ARENA_MAP[page];
  if (e->free.prev)
    ARENA_MAP[e->free.prev].free.next = e->free.next;
  else
    ARENA->bins[bin_of(e->run)] = e->free.next;
  if (e->free.next) ARENA_MAP[e->free.next].free.prev = e->free.prev;
}

/* Enters a free run, which has no free neighbour, into its bin. */
static void bin_add(uint32_t page, uint32_t pages) {
  uint32_t *bin = &ARENA->bins[bin_of(pages)];
  ARENA_MAP[page + pages - 1] = (struct page){.kind = PAGE_FREE, .run = pages - 1};
  ARENA_MAP[page] = (struct page){
      .kind = PAGE_FREE, .flags = PAGE_HEAD, .run = pages, .free = {.next = *bin, .prev = 0}};
  if (*bin) ARENA_MAP[*bin].free.prev = page;
  *bin = page;
}

static uint32_t find(uint32_t pages) {
  unsigned bin = bin_of(pages);
  for (uint32_t page = ARENA->bins[bin]; page; page = ARENA_MAP[page].free.next)
    if (ARENA_MAP[page].run >= pages) return page;
  while (++bin < ARENA_BINS)
    if (ARENA->bins[bin]) return ARENA->bins[bin];
  return 0;
}

uint32_t run_alloc(uint32_t pages, bool *zero) {
  uint32_t page = find(pages);
  *zero = false;
  if (page) {
    uint32_t rest = ARENA_MAP[page].run - pages;
    bin_remove(page);
    if (rest) bin_add(page + pages, rest);
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

uint32_t run_trim(uint32_t page, uint32_t total, uint32_t unit, uint32_t pages) {
  /* The base of the arena is aligned to more than any unit. */
  uint32_t start = (page + unit - 1) / unit * unit;
  /* Mark what is kept, so that freeing the ends does not join across it. */
  ARENA_MAP[start] = (struct page){.kind = PAGE_LARGE, .flags = PAGE_HEAD, .run = pages};
  ARENA_MAP[start + pages - 1].kind = PAGE_LARGE;
  if (start > page) run_free(page, start - page);
  if (page + total > start + pages) run_free(start + pages, page + total - start - pages);
  return start;
}

void run_free(uint32_t page, uint32_t pages) {
  if (shared && pages >= PURGE_PAGES)
    madvise((void *)(ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT)),
            (size_t)pages << ARENA_PAGE_SHIFT, MADV_REMOVE);
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
    bin_add(page, pages);
}
