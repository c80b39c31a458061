/* The least that an allocator can do, as the floor of bench/alloc: blocks of 16-byte sizes, each
 * with its size in front, are cut off a region one after the other; freed ones of up to BYTES wait
 * for their size's next call in a list. No checks, no records, nothing is given back. */
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

static struct free_block *lists[UNITS];
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

EXPORT void *malloc(size_t bytes) {
  size_t units = bytes / 16 + 1;
  struct free_block *b = units < UNITS ? lists[units] : NULL;
  if (!b) return cut(units, 16);
  lists[units] = b->next;
  return b;
}

EXPORT void free(void *p) {
  if (!p) return;
  size_t units = ((size_t *)p)[-1];
  struct free_block *b = p;
  if (units >= UNITS) return;
  b->next = lists[units];
  lists[units] = b;
}

EXPORT void *calloc(size_t count, size_t size) {
  void *p = malloc(count * size);
  return p ? memset(p, 0, count * size) : NULL;
}

EXPORT void *realloc(void *p, size_t bytes) {
  size_t old = p ? ((size_t *)p)[-1] * 16 : 0;
  if (bytes < old) return p;
  void *to = malloc(bytes);
  if (to && old) memcpy(to, p, old);
  if (to) free(p);
  return to;
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes) {
  return cut(bytes / 16 + 1, alignment);
}
