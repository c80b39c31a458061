/* The least that an allocator can do, as the floor of bench/alloc: blocks of 16-byte sizes, each
 * with its size in front, are cut off a region one after the other; freed ones of up to 64 KiB wait
 * in a list for the next call for their size and kind. No checks, no records, nothing is given
 * back. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORT __attribute__((visibility("default")))

enum { UNITS = 4096 }; /* sizes in units of 16 bytes; larger blocks are not used again */
#define REGION (64ul << 30)

struct free_block {
  struct free_block *next;
};

/* Ordinary blocks, and such that are aligned to 64 bytes, which their sizes say. */
static struct free_block *lists[2][UNITS];
#define ALIGNED (1ul << 32)
static char *next, *end;

static void *cut(size_t units, size_t alignment) {
  if (!next) {
    next = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0);
    end = next + REGION;
  }
  uintptr_t at = ((uintptr_t)next + 16 + alignment - 1) & -alignment;
  if (next == MAP_FAILED || units * 16 > (size_t)(end - (char *)at)) return NULL;
  next = (char *)at + units * 16;
  ((size_t *)at)[-1] = units;
  return (void *)at;
}

static struct free_block *take(struct free_block **list) {
  struct free_block *b = *list;
  if (b) *list = b->next;
  return b;
}

EXPORT void *malloc(size_t bytes) {
  size_t units = bytes / 16 + 1;
  struct free_block *b = units < UNITS ? take(&lists[0][units]) : NULL;
  return b ? b : cut(units, 16);
}

EXPORT void free(void *p) {
  if (!p) return;
  size_t units = ((size_t *)p)[-1] % ALIGNED, aligned = ((size_t *)p)[-1] / ALIGNED;
  struct free_block *b = p;
  if (units >= UNITS) return;
  b->next = lists[aligned][units];
  lists[aligned][units] = b;
}

EXPORT void *calloc(size_t count, size_t size) {
  void *p = malloc(count * size);
  return p ? memset(p, 0, count * size) : NULL;
}

EXPORT void *realloc(void *p, size_t bytes) {
  size_t old = p ? ((size_t *)p)[-1] % ALIGNED * 16 : 0;
  if (bytes < old) return p;
  void *to = malloc(bytes);
  if (to && old) memcpy(to, p, old);
  if (to) free(p);
  return to;
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes) {
  size_t units = bytes / 16 + 1;
  struct free_block *b = alignment <= 64 && units < UNITS ? take(&lists[1][units]) : NULL;
  if (b) return b;
  size_t *p = cut(units, alignment < 64 ? 64 : alignment);
  if (p) p[-1] |= ALIGNED;
  return p;
}
