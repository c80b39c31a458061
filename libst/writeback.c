/* After commit: pages that the transfer or the program changed go back to the heap's memfd, and the
 * heap becomes shared again, a slice at a time. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/fault.h"
#include "libst/import.h"
#include "libst/keep.h"
#include "libst/process.h"
#include "libst/st.h"
#include "libst/writeback.h"

enum { SLICE_PAGES = 128, PURGE_PAGES = 64 };

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE    (1ull << 61)

/* The parts of the arena that may hold anything; what lies between was never touched. Each is
 * shared up to `done`. A part grows while the program runs. */
struct part {
  uintptr_t done, end;
};

static struct part parts[3];
static bool private;

void writeback_begin(void) {
  parts[0].done = ARENA_BASE;
  parts[1].done = (uintptr_t)ARENA_SITE;
  parts[2].done = ARENA_BASE + ARENA_FIRST * ARENA_PAGE;
  private = true;
  keep_whole(false);
}

static uintptr_t page_up(uintptr_t at) {
  return (at + ARENA_PAGE - 1) & -ARENA_PAGE;
}

static void find_ends(void) {
  parts[0].end = page_up((uintptr_t)&ARENA_MAP[ARENA->top]);
  parts[1].end = page_up((uintptr_t)&ARENA_SITE[ARENA->sites]);
  parts[2].end = ARENA_BASE + ((uintptr_t)ARENA->top << ARENA_PAGE_SHIFT);
}

static uint64_t now_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int write_page(uintptr_t page) {
  ssize_t done =
      pwrite(st_process.heap, (const void *)page, ARENA_PAGE, (off_t)(page - ARENA_BASE));
  if (done == (ssize_t)ARENA_PAGE) return 0;
  return done < 0 ? -errno : -EIO;
}

static int write_slice(uintptr_t start, size_t pages) {
  uint64_t state[SLICE_PAGES];
  ssize_t want = (ssize_t)(pages * sizeof(*state));
  if (pread(st_process.pagemap, state, (size_t)want,
            (off_t)((start >> ARENA_PAGE_SHIFT) * sizeof(*state))) != want)
    return -EIO;
  for (size_t i = 0; i < pages; i++) {
    bool changed = (state[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) && !(state[i] & PAGEMAP_FILE);
    int err = changed ? write_page(start + i * ARENA_PAGE) : 0;
    if (err) return err;
  }
  return arena_map(start, pages * ARENA_PAGE, MAP_SHARED, st_process.heap);
}

static struct part *unfinished(void) {
  find_ends();
  for (unsigned i = 0; i < 3; i++)
    if (parts[i].done < parts[i].end) return &parts[i];
  return NULL;
}

/* What the old version's objects left free goes back to the kernel. */
static int purge_until(uint64_t until) {
  while (arena_purge(PURGE_PAGES))
    if (now_us() >= until) return 1;
  return 0;
}

int st_writeback_slice(unsigned max_us) {
  uint64_t until = now_us() + max_us;
  if (!private) return purge_until(until);
  do {
    struct part *part = unfinished();
    if (!part) {
      int err = arena_map(ARENA_BASE, ARENA_BYTES, MAP_SHARED, st_process.heap);
      if (err) return err;
      private = false;
      arena_set_shared();
      keep_whole(true);
      import_release();
      return purge_until(until);
    }
    size_t pages = (part->end - part->done) >> ARENA_PAGE_SHIFT;
    if (pages > SLICE_PAGES) pages = SLICE_PAGES;
    int err = st_fault("writeback.slice", EIO);
    if (!err) err = write_slice(part->done, pages);
    if (err) return err;
    part->done += pages * ARENA_PAGE;
  } while (now_us() < until);
  return 1;
}
