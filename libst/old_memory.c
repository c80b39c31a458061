#include "libst/old_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "libst/arena.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/transfer.h"

static const unsigned char *heap;

int old_memory_open(void) {
  if (heap) return 0;
  void *map = mmap(NULL, ARENA_BYTES, PROT_READ, MAP_SHARED | MAP_NORESERVE, st_process.heap, 0);
  if (map == MAP_FAILED) return -errno;
  heap = map;
  return 0;
}

const unsigned char *old_memory_heap(void) {
  return heap;
}

void old_memory_close(void) {
  if (heap) munmap((void *)heap, ARENA_BYTES);
  heap = NULL;
}

/* Bytes of pages that blocks lie in; which block is not looked at. */
static const void *in_heap(uintptr_t address, size_t bytes) {
  const struct page *map = (const struct page *)(heap + ((uintptr_t)ARENA_MAP - ARENA_BASE));
  const struct arena *arena = (const struct arena *)heap;
  uint64_t first = (address - ARENA_BASE) >> ARENA_PAGE_SHIFT;
  uint64_t last = (address - ARENA_BASE + (bytes ? bytes - 1 : 0)) >> ARENA_PAGE_SHIFT;
  if (first < ARENA_FIRST || last < first || last >= arena->top) return NULL;
  for (uint64_t page = first; page <= last; page++)
    if (map[page].kind != PAGE_SPAN && map[page].kind != PAGE_LARGE) return NULL;
  return heap + (address - ARENA_BASE);
}

const void *old_memory_at(void *ctx, uintptr_t address, size_t bytes) {
  const struct transfer *t = ctx;
  if (address + bytes < address) return NULL;
  if (arena_has((const void *)address)) return heap ? in_heap(address, bytes) : NULL;
  if (mapping_has(address, bytes)) return (const void *)address;
  const unsigned char *data = transfer_snapshot(t, address, bytes);
  if (data) return data;
  size_t left;
  uintptr_t base = t->old.image[0].base;
  const void *constant = address >= base ? elf_at(&t->plan->old_exe, address - base, &left) : NULL;
  return constant && bytes <= left ? constant : NULL;
}
