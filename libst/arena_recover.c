/* A heap whose process was interrupted anywhere. What its records say of each run and block is
 * checked; all lists, which an allocation may have been in the middle of changing, are made anew
 * from them. */
#include <string.h>

#include "libst/arena.h"
#include "libst/run.h"
#include "libst/span.h"

static const char *check_header(void) {
  if (ARENA->top < ARENA_FIRST || ARENA->top > ARENA_PAGES) return "its end lies outside of it";
  if (ARENA->high > ARENA_PAGES) return "it has used more than it has";
  if (ARENA->sites == 0 || ARENA->sites > ARENA_SITES) return "its table of sites has no such size";
  if (ARENA->high < ARENA->top) ARENA->high = ARENA->top;
  return NULL;
}

static const char *check_sites(uint32_t types) {
  for (uint32_t i = 1; i < ARENA->sites; i++) {
    const struct site *s = &ARENA_SITE[i];
    if (s->type >= types) return "a site's type does not exist";
    if (!memchr(s->function, 0, sizeof(s->function)) || !memchr(s->file, 0, sizeof(s->file)))
      return "a site's name has no end";
  }
  return NULL;
}

/* All but the first page of a run lead back to it. */
static bool leads_back(uint32_t page, uint32_t pages) {
  const struct page *e = &ARENA_MAP[page];
  for (uint32_t i = 1; i < pages; i++)
    if (e[i].kind != e->kind || e[i].run != i || e[i].flags & PAGE_HEAD ||
        (e->kind == PAGE_SPAN && e[i].tag != e->tag))
      return false;
  return true;
}

static bool all_free(uint32_t page, uint32_t pages) {
  for (uint32_t i = 0; i < pages; i++)
    if (ARENA_MAP[page + i].kind != PAGE_FREE) return false;
  return true;
}

static const char *check_run(uint32_t page) {
  const struct page *e = &ARENA_MAP[page];
  if (!(e->flags & PAGE_HEAD)) return "a run of pages has no beginning";
  if (e->kind == PAGE_SPAN && (e->tag >= ARENA_CLASSES || e->run != 0))
    return "a span is of no size";
  uint32_t pages = arena_run_pages(e);
  if (pages == 0 || pages > ARENA->top - page) return "a run of pages is too long";
  switch ((enum page_kind)e->kind) {
  case PAGE_FREE:
    return all_free(page, pages) ? NULL : "a free run is in use";
  case PAGE_SPAN:
    return leads_back(page, pages) ? NULL : "a span is broken";
  case PAGE_LARGE:
    if (e->tag == 0 || e->tag >= ARENA->sites) return "a large block is of no site";
    if (e->bytes >= (uint64_t)pages << ARENA_PAGE_SHIFT) return "a large block is too long";
    return leads_back(page, pages) ? NULL : "a large block is broken";
  case PAGE_OWN:
    break;
  }
  return "a run of pages is of no kind";
}

/* Enters free runs, joined with their neighbours; a last one lies beyond the heap's end. */
static const char *recover_runs(void) {
  uint32_t free_from = 0, pages;
  bool clean = true;
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += pages) {
    const char *wrong = check_run(page);
    if (wrong) return wrong;
    struct page *e = &ARENA_MAP[page];
    pages = arena_run_pages(e);
    if (e->kind == PAGE_FREE) {
      if (!free_from) free_from = page, clean = true;
      clean &= (e->flags & PAGE_CLEAN) != 0;
      continue;
    }
    if (free_from) run_recover(free_from, page - free_from, clean);
    free_from = 0;
    wrong = e->kind == PAGE_SPAN ? span_recover(page) : NULL;
    if (wrong) return wrong;
  }
  if (free_from) ARENA->top = free_from;
  return NULL;
}

const char *arena_recover(uint32_t types) {
  const char *wrong = check_header();
  if (!wrong) wrong = check_sites(types);
  if (wrong) return wrong;
  run_forget_free();
  span_forget_room();
  return recover_runs();
}
