#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/span.h"

static void start(void) {
  ck_assert_int_eq(arena_reserve(), 0);
  ck_assert_int_ge(arena_create(), 0);
  arena_start(true);
}

static uint32_t next_random(void) {
  static uint64_t seed = 12345;
  seed = seed * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(seed >> 33);
}

static size_t random_size(void) {
  switch (next_random() % 8) {
  case 0:
    return next_random() % 20000;
  case 1:
    return next_random() % 300000;
  case 2:
    return 0;
  default:
    return next_random() % 600;
  }
}

struct held {
  unsigned char *p;
  size_t bytes;
  unsigned site;
  unsigned char fill;
};

enum { HELD = 1500, STEPS = 20000 };
static struct held held[HELD];

/* One assertion for all bytes: each costs a system call. */
static bool filled(const unsigned char *p, size_t bytes, unsigned char with) {
  for (size_t i = 0; i < bytes; i++)
    if (p[i] != with) return false;
  return true;
}

static void check(const struct held *h) {
  unsigned site;
  ck_assert_uint_eq(arena_bytes(h->p, &site), h->bytes);
  ck_assert_uint_eq(site, h->site);
  ck_assert(filled(h->p, h->bytes, h->fill));
  struct block b;
  size_t at = h->bytes ? next_random() % (h->bytes + 1) : 0; /* one past the end included */
  ck_assert(arena_find((uintptr_t)h->p + at, false, &b));
  ck_assert_uint_eq(b.address, (uintptr_t)h->p);
  ck_assert_uint_eq(b.bytes, h->bytes);
  ck_assert_uint_gt(b.capacity, b.bytes);
}

static void take(struct held *h) {
  static const size_t alignments[] = {16, 16, 32, 64, 256, 4096, 65536};
  size_t alignment = alignments[next_random() % 100 < 90 ? 0 : next_random() % 7];
  bool clear = next_random() % 2;
  h->bytes = random_size();
  h->site = 1 + next_random() % 60000;
  h->fill = (unsigned char)next_random();
  h->p = arena_alloc_aligned(alignment, h->bytes, h->site, clear);
  ck_assert_ptr_nonnull(h->p);
  ck_assert_uint_eq((uintptr_t)h->p % alignment, 0);
  ck_assert(!clear || filled(h->p, h->bytes, 0));
  memset(h->p, h->fill, h->bytes);
}

static void change(struct held *h) {
  size_t bytes = random_size();
  unsigned char fill = h->fill;
  if (!arena_resize(h->p, bytes, h->site, true)) return;
  if (bytes > h->bytes) ck_assert(filled(h->p + h->bytes, bytes - h->bytes, 0));
  h->bytes = bytes;
  memset(h->p, fill, bytes);
}

static int count_block(const struct block *b, void *ctx) {
  size_t *counts = ctx;
  counts[0]++;
  counts[1] += b->bytes;
  return 0;
}

struct wanted {
  uint64_t sites;
  size_t blocks, of_sites;
};

static int count_wanted(const struct block *b, void *ctx) {
  struct wanted *w = ctx;
  w->blocks++;
  w->of_sites += (w->sites & arena_site_bit(b->site)) != 0;
  return 0;
}

/* Looking for the blocks of some sites finds each of them and no other. */
static void check_sites(uint64_t sites) {
  struct wanted all = {.sites = sites}, some = {.sites = sites};
  arena_each(count_wanted, &all);
  arena_each_of(sites, count_wanted, &some);
  ck_assert_uint_eq(some.blocks, some.of_sites);
  ck_assert_uint_eq(some.blocks, all.of_sites);
}

static void use(int steps) {
  for (int step = 0; step < steps; step++) {
    struct held *h = &held[next_random() % HELD];
    if (step % 1000 == 0) check_sites(1ull << next_random() % 64 | 1ull << next_random() % 64);
    if (!h->p) {
      take(h);
      continue;
    }
    check(h);
    if (next_random() % 4 == 0) {
      change(h);
    } else {
      arena_free(h->p);
      h->p = NULL;
    }
  }
}

START_TEST(random_use) {
  start();
  size_t bytes = 0, live = 0;
  use(STEPS);
  for (int i = 0; i < HELD; i++)
    if (held[i].p) check(&held[i]), live++, bytes += held[i].bytes;
  size_t counts[2] = {0, 0};
  ck_assert_int_eq(arena_each(count_block, counts), 0);
  ck_assert_uint_eq(counts[0], live);
  ck_assert_uint_eq(counts[1], bytes);
  for (int i = 0; i < HELD; i++)
    if (held[i].p) arena_free(held[i].p);
  counts[0] = 0;
  arena_each(count_block, counts);
  ck_assert_uint_eq(counts[0], 0);
  arena_settle();
  /* All that remains is a span of each class, kept for the next allocation. */
  uint32_t used = 0, most = 0;
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += arena_run_pages(&ARENA_MAP[page]))
    if (ARENA_MAP[page].kind != PAGE_FREE) used += arena_run_pages(&ARENA_MAP[page]);
  for (int i = 0; i < ARENA_CLASSES; i++)
    most += arena_classes[i].pages;
  ck_assert_uint_le(used, most);
}
END_TEST

START_TEST(transfer_keeps_old_blocks_apart) {
  ck_assert_int_eq(arena_reserve(), 0);
  int fd = arena_create();
  ck_assert_int_ge(fd, 0);
  arena_start(true);
  void *old[300];
  for (int i = 0; i < 300; i++)
    old[i] = arena_alloc(40, 1, false);
  for (int i = 0; i < 300; i += 2)
    arena_free(old[i]);
  arena_settle();
  ck_assert_int_eq(arena_adopt(fd), 0);
  arena_start(false);
  ck_assert_int_eq(arena_transfer_begin(fd), 0);
  struct block b;
  void *fresh[300];
  for (int i = 0; i < 300; i++) {
    fresh[i] = arena_alloc(40, 2, true);
    ck_assert(!arena_find((uintptr_t)fresh[i], false, &b));
    ck_assert(arena_find((uintptr_t)fresh[i], true, &b));
  }
  size_t counts[2] = {0, 0};
  arena_each(count_block, counts);
  ck_assert_uint_eq(counts[0], 150);
  arena_transfer_end();
  arena_each(count_block, counts);
  ck_assert_uint_eq(counts[0], 150 + 450);
  for (int i = 0; i < 300; i++)
    arena_free(fresh[i]);
  for (int i = 1; i < 300; i += 2)
    arena_free(old[i]);
  uint32_t top = ARENA->top;
  for (int i = 0; i < 300; i++)
    ck_assert_ptr_nonnull(arena_alloc(40, 1, false));
  ck_assert_uint_le(ARENA->top, top + 4);
}
END_TEST

/* What an old version that still runs does to its heap behind a new one's back. */
static void grow_behind(int fd, uint32_t pages, const char *text) {
  uint32_t page = ARENA->top, top = page + pages;
  struct page entry = {.kind = PAGE_LARGE, .tag = 1};
  for (uint32_t i = 0; i < pages; i++) {
    entry.flags = i ? 0 : PAGE_HEAD;
    entry.run = i ? i : pages;
    entry.bytes = i ? 0 : strlen(text);
    ck_assert_int_eq(pwrite(fd, &entry, sizeof(entry), (long)&ARENA_MAP[page + i] - (long)ARENA),
                     sizeof(entry));
  }
  ck_assert_int_eq(pwrite(fd, text, strlen(text), (long)page * (long)ARENA_PAGE), strlen(text));
  ck_assert_int_eq(pwrite(fd, &top, sizeof(top), offsetof(struct arena, top)), sizeof(top));
}

START_TEST(old_heap_grows_after_preparation) {
  ck_assert_int_eq(arena_reserve(), 0);
  int fd = arena_create();
  ck_assert_int_ge(fd, 0);
  arena_start(true);
  char *first = arena_alloc(100000, 1, false);
  strcpy(first, "before");
  ck_assert_int_eq(arena_adopt(fd), 0);
  arena_start(false);
  arena_prepare(2000);
  uint32_t page = ARENA->top;
  grow_behind(fd, 600, "after");
  ck_assert_uint_eq(ARENA->top, page + 600);
  ck_assert_int_eq(arena_transfer_begin(fd), 0);
  struct block b;
  uintptr_t at = ARENA_BASE + page * ARENA_PAGE;
  ck_assert(arena_find(at + 599 * ARENA_PAGE, false, &b));
  ck_assert_uint_eq(b.address, at);
  ck_assert_int_eq(memcmp((void *)at, "after", 5), 0);
  char *fresh = arena_alloc(100000, 1, true);
  ck_assert_uint_ge((uintptr_t)fresh, at + 600 * ARENA_PAGE);
  ck_assert(filled((unsigned char *)fresh, 100000, 0));
  ck_assert_str_eq(first, "before");
  arena_transfer_end();
}
END_TEST

/* ---- what a process leaves that was interrupted ---- */

static void interrupt(int steps) {
  ck_assert_int_eq(arena_reserve(), 0);
  int fd = arena_create();
  ck_assert_int_ge(fd, 0);
  arena_start(true);
  ARENA->sites = ARENA_SITES;
  use(steps);
  ck_assert_int_eq(arena_adopt(fd), 0);
  arena_start(false);
}

static struct span *span_of_kind(uint32_t touched) {
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += arena_run_pages(&ARENA_MAP[page]))
    if (ARENA_MAP[page].kind == PAGE_SPAN && span_at(page)->touched >= touched)
      return span_at(page);
  ck_abort_msg("no such span");
}

static struct page *page_of_kind(enum page_kind kind, uint32_t pages) {
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += arena_run_pages(&ARENA_MAP[page]))
    if (ARENA_MAP[page].kind == kind && arena_run_pages(&ARENA_MAP[page]) >= pages)
      return &ARENA_MAP[page];
  ck_abort_msg("no such run");
}

START_TEST(lists_are_made_anew) {
  interrupt(STEPS);
  memset(ARENA->bins, 0xff, sizeof(ARENA->bins));
  memset(ARENA->partial, 0xff, sizeof(ARENA->partial));
  ARENA->dirty = 4711;
  for (uint32_t page = ARENA_FIRST; page < ARENA->top; page += arena_run_pages(&ARENA_MAP[page])) {
    struct page *e = &ARENA_MAP[page];
    if (e->kind == PAGE_FREE) e->free.next = e->free.prev = 12345;
    if (e->kind != PAGE_SPAN) continue;
    struct span *s = span_at(page);
    s->next = s->prev = 54321;
    s->free = s->used = 333;
    uint32_t last = s->touched;
    if (last < arena_classes[e->tag].count) s->records[last] = (struct record){7, 9};
  }
  ck_assert_pstr_eq(arena_recover(1), NULL);
  size_t counts[2] = {0, 0}, live = 0;
  for (int i = 0; i < HELD; i++)
    if (held[i].p) check(&held[i]), live++;
  arena_each(count_block, counts);
  ck_assert_uint_eq(counts[0], live);
  use(STEPS);
}
END_TEST

static const char *break_heap(int how) {
  struct page *e;
  switch (how) {
  case 0:
    ARENA->top = ARENA_PAGES + 1;
    return "its end lies outside of it";
  case 1:
    ARENA->sites = 0;
    return "its table of sites has no such size";
  case 2:
    ARENA_SITE[9].type = 5;
    return "a site's type does not exist";
  case 3:
    memset(ARENA_SITE[9].file, 'x', sizeof(ARENA_SITE[9].file));
    return "a site's name has no end";
  case 4:
    page_of_kind(PAGE_SPAN, 1)->flags = 0;
    return "a run of pages has no beginning";
  case 5:
    page_of_kind(PAGE_SPAN, 1)->tag = ARENA_CLASSES;
    return "a span is of no size";
  case 6:
    page_of_kind(PAGE_LARGE, 1)->run = UINT32_MAX;
    return "a run of pages is too long";
  case 7:
    e = page_of_kind(PAGE_FREE, 3);
    e[1].kind = PAGE_LARGE;
    return "a free run is in use";
  case 8:
    e = page_of_kind(PAGE_SPAN, 3);
    e[2].run = 7;
    return "a span is broken";
  case 9:
    page_of_kind(PAGE_LARGE, 1)->tag = 0;
    return "a large block is of no site";
  case 10:
    page_of_kind(PAGE_LARGE, 1)->bytes = 1ull << 40;
    return "a large block is too long";
  case 11:
    span_of_kind(1)->touched = 0xffff;
    return "a span has too many blocks";
  case 12:
    span_of_kind(1)->records[0] = (struct record){0, 1};
    return "a block is of no site";
  case 13:
    span_of_kind(1)->records[0] = (struct record){1, 0x7ffe};
    return "a block is of no size";
  case 14:
    page_of_kind(PAGE_LARGE, 1)->kind = 77;
    return "a run of pages is of no kind";
  case 15:
    e = page_of_kind(PAGE_LARGE, 3);
    e[1].flags = PAGE_HEAD;
    return "a large block is broken";
  }
  ck_abort_msg("no such way");
}
enum { WAYS_TO_BREAK = 16 };

START_TEST(broken_heap_is_refused) {
  interrupt(STEPS / 10);
  const char *says = break_heap(_i);
  ck_assert_pstr_eq(arena_recover(1), says);
}
END_TEST

START_TEST(freed_twice) {
  start();
  void *p = arena_alloc(100, 1, false), *other = arena_alloc(100, 1, false);
  ck_assert_ptr_nonnull(other);
  arena_free(p);
  arena_free(p);
}
END_TEST

START_TEST(freed_inside) {
  start();
  char *p = arena_alloc(100, 1, false);
  arena_free(p + 16);
}
END_TEST

/* A multiplication finds the starts of blocks, and nothing else, whatever the size. */
START_TEST(slots) {
  start();
  for (uint32_t class = 0; class < ARENA_CLASSES; class += 2) {
    const struct size_class *c = &arena_classes[class];
    const char *s = (const char *)span_at(ARENA_FIRST);
    for (uint32_t at = 0; at < c->pages * ARENA_PAGE; at++) {
      uint32_t slot = span_slot((const struct span *)s, c->data, c->divide, s + at);
      bool starts = at >= c->data && (at - c->data) % c->size == 0;
      if (starts ? slot != (at - c->data) / c->size : slot < c->count)
        ck_abort_msg("byte %u of a span of blocks of %u bytes: %u", at, c->size, slot);
    }
  }
}
END_TEST

/* Blocks of this size do not wait outside of their span. */
START_TEST(freed_twice_to_its_span) {
  start();
  void *p = arena_alloc(5000, 1, false), *other = arena_alloc(5000, 1, false);
  ck_assert_ptr_nonnull(other);
  arena_free(p);
  arena_free(p);
}
END_TEST

START_TEST(freed_without_use) {
  start();
  char *p = arena_alloc(100, 1, false);
  arena_free(p + arena_classes[arena_class_of[100 / 16]].size);
}
END_TEST

START_TEST(freed_record) {
  start();
  char *p = arena_alloc(100, 1, false);
  arena_free(p - 16);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("arena");
  TCase *tests = tcase_create("arena");
  tcase_add_test(tests, random_use);
  tcase_add_test(tests, transfer_keeps_old_blocks_apart);
  tcase_add_test(tests, old_heap_grows_after_preparation);
  tcase_add_test(tests, slots);
  tcase_add_test(tests, lists_are_made_anew);
  tcase_add_loop_test(tests, broken_heap_is_refused, 0, WAYS_TO_BREAK);
  tcase_add_test_raise_signal(tests, freed_twice, SIGABRT);
  tcase_add_test_raise_signal(tests, freed_twice_to_its_span, SIGABRT);
  tcase_add_test_raise_signal(tests, freed_without_use, SIGABRT);
  tcase_add_test_raise_signal(tests, freed_record, SIGABRT);
  tcase_add_test_raise_signal(tests, freed_inside, SIGABRT);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
