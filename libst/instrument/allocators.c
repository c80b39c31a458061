#include "allocators.h"

#include <string.h>

#define ARGUMENT(n) (1u << (n))

static const struct allocator libc[] = {
    {.name = "malloc", .sizes = ARGUMENT(0)},
    {.name = "calloc", .sizes = ARGUMENT(0) | ARGUMENT(1)},
    {.name = "realloc", .sizes = ARGUMENT(1)},
    {.name = "reallocarray", .sizes = ARGUMENT(1) | ARGUMENT(2)},
    {.name = "aligned_alloc", .sizes = ARGUMENT(1)},
    {.name = "memalign", .sizes = ARGUMENT(1)},
    {.name = "posix_memalign", .sizes = ARGUMENT(2), .by_reference = true},
    {.name = "valloc", .sizes = ARGUMENT(0)},
    {.name = "strdup", .string = true},
    {.name = "strndup", .string = true},
    {.name = "asprintf", .string = true, .by_reference = true},
    {.name = "vasprintf", .string = true, .by_reference = true},
    /* what glibc's headers make of them with _FORTIFY_SOURCE */
    {.name = "__asprintf_chk", .string = true, .by_reference = true},
    {.name = "__vasprintf_chk", .string = true, .by_reference = true},
    {.name = "getline", .string = true, .by_reference = true},
    {.name = "getdelim", .string = true, .by_reference = true},
    /* what glibc's headers make of getline() in optimised code */
    {.name = "__getdelim", .string = true, .by_reference = true},
};
enum { LIBC_COUNT = sizeof libc / sizeof libc[0] };

struct allocators *allocators_new(void) {
  struct allocators *a = calloc(1, sizeof *a);
  if (!a) fail("out of memory");
  for (unsigned i = 0; i < LIBC_COUNT; i++) {
    struct allocator *added = array_add(&a->items);
    *added = libc[i];
    added->unit = ANY_UNIT;
    added->roots = 1u << i;
  }
  return a;
}

void allocators_free(struct allocators *allocators) {
  free(allocators->items.items);
  free(allocators);
}

const struct allocator *allocators_find(const struct allocators *allocators, const char *name,
                                        int unit, bool is_static) {
  for (size_t i = 0; i < allocators->items.count; i++) {
    const struct allocator *a = &allocators->items.items[i];
    if (a->unit == (is_static ? unit : ANY_UNIT) && strcmp(a->name, name) == 0) return a;
  }
  return NULL;
}

bool allocators_add(struct allocators *allocators, const char *name, int unit, uint32_t roots) {
  for (size_t i = 0; i < allocators->items.count; i++) {
    struct allocator *a = &allocators->items.items[i];
    if (a->unit != unit || strcmp(a->name, name) != 0) continue;
    bool news = (roots & ~a->roots) != 0;
    a->roots |= roots;
    return news;
  }
  struct allocator *added = array_add(&allocators->items);
  *added = (struct allocator){.name = name, .unit = unit, .roots = roots, .sizes = ~0u};
  return true;
}

void allocators_distrust(struct allocators *allocators, const struct allocator *wrapper) {
  allocators->items.items[wrapper - allocators->items.items].distrusted = true;
}

bool allocators_distrusted(const struct allocators *allocators, const char *name) {
  for (size_t i = 0; i < allocators->items.count; i++)
    if (allocators->items.items[i].distrusted && strcmp(allocators->items.items[i].name, name) == 0)
      return true;
  return false;
}

bool allocator_is_root(const struct allocator *allocator) {
  return (allocator->roots & (allocator->roots - 1)) == 0 &&
         strcmp(libc[__builtin_ctz(allocator->roots)].name, allocator->name) == 0;
}
