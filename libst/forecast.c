#include "libst/forecast.h"

#include <string.h>
#include <sys/mman.h>

#include "libst/span.h"
#include "libst/transfer.h"

/* More than this is not made ready in advance. */
enum { READ_PAGES = 1 << 18, FRESH_PAGES = 1 << 18 };

struct guess {
  uint64_t read, move; /* sites whose blocks will be read; that will need another place */
  uint64_t grow;       /* by how much at most the latter grow, in 1/256 */
  uint32_t start, end; /* pages to fault in, not done yet */
  uint64_t read_pages;
  uint64_t fresh_bytes, blocks;
};

static void flush(struct guess *g) {
  if (g->end > g->start && g->read_pages < READ_PAGES) {
    g->read_pages += g->end - g->start;
    madvise((void *)(ARENA_BASE + ((uintptr_t)g->start << ARENA_PAGE_SHIFT)),
            (size_t)(g->end - g->start) << ARENA_PAGE_SHIFT, MADV_POPULATE_READ);
  }
  g->start = g->end;
}

static void will_read(struct guess *g, uint32_t page, uint32_t pages) {
  if (page != g->end) {
    flush(g);
    g->start = page;
  }
  g->end = page + pages;
}

static void guess_site(struct guess *g, const struct site_plan *sp, unsigned site) {
  const struct program *p = sp->program;
  if (sp->skip) return;
  g->read |= arena_site_bit(site);
  if (!sp->typed || !p->changed || p->new_bytes <= p->old_bytes || p->old_bytes == 0) return;
  g->move |= arena_site_bit(site);
  uint64_t grow = ((uint64_t)p->new_bytes << 8) / p->old_bytes;
  if (grow > g->grow) g->grow = grow;
}

/* Reads an entry once: it may change while it is looked at. */
static struct page entry(uint32_t page) {
  struct page e;
  memcpy(&e, &ARENA_MAP[page], sizeof(e));
  __asm__ volatile("" ::: "memory");
  return e;
}

/* What of a span was ever used: the rest has no memory, and should get none. */
static uint32_t used_pages(const struct size_class *c, uint32_t page) {
  uint32_t touched = *(volatile uint16_t *)&span_at(page)->touched;
  if (touched > c->count) touched = c->count;
  return (c->data + touched * c->size + (uint32_t)ARENA_PAGE - 1) >> ARENA_PAGE_SHIFT;
}

/* @return the pages of the run at `page`; `left` when it makes no sense */
static uint32_t guess_run(struct guess *g, uint32_t page, uint32_t left) {
  struct page e = entry(page);
  if (!(e.flags & PAGE_HEAD)) return 1;
  if (e.kind != PAGE_SPAN && (e.run == 0 || e.run > left)) return left;
  if (e.kind == PAGE_SPAN && e.tag < ARENA_CLASSES) {
    const struct size_class *c = &arena_classes[e.tag];
    if (c->pages > left) return left;
    if (e.sites & g->read) will_read(g, page, used_pages(c, page));
    if (e.sites & g->move) {
      g->fresh_bytes += (uint64_t)c->count * c->size;
      g->blocks += c->count;
    }
    return c->pages;
  }
  if (e.kind == PAGE_LARGE && (arena_site_bit(e.tag) & g->read)) will_read(g, page, e.run);
  if (e.kind == PAGE_LARGE && (arena_site_bit(e.tag) & g->move)) g->fresh_bytes += e.bytes;
  return e.kind == PAGE_SPAN ? left : e.run;
}

void forecast(struct transfer *t) {
  struct guess g = {0};
  uint32_t sites = ARENA->sites, top = ARENA->top;
  for (uint32_t i = 1; i < sites && i < ARENA_SITES; i++)
    guess_site(&g, transfer_site(t, i), i);
  /* The table was read while the old version could write it: the real plans are made anew. */
  memset(t->sites, 0, sites * sizeof(*t->sites));
  if (!g.read || top > ARENA_PAGES) return;
  for (uint32_t page = ARENA_FIRST; page < top;)
    page += guess_run(&g, page, top - page);
  flush(&g);
  uint64_t fresh = (g.fresh_bytes * g.grow >> (8 + ARENA_PAGE_SHIFT)) * 17 / 16;
  if (fresh == 0) return;
  arena_prepare((uint32_t)(fresh < FRESH_PAGES ? fresh : FRESH_PAGES));
  transfer_prepare_moves(t, g.blocks);
}
