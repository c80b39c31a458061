/* The sizes of blocks. The tables are part of the arena's format: the same in each build. */
#include "libst/class.h"

#include "libst/quick.h"

struct size_class arena_classes[ARENA_CLASSES];
uint8_t arena_class_of[ARENA_SMALL / 16];
struct quick arena_quick[ARENA_CLASSES];

/* Blocks of a size lie at multiples of the largest power of two that divides it, up to 256. */
static uint32_t alignment(uint32_t size) {
  uint32_t power = size & -size;
  return power < 256 ? power : 256;
}

static struct size_class in_pages(uint32_t size, uint32_t pages) {
  uint32_t align = alignment(size), bytes = pages * ARENA_PAGE, data;
  uint32_t count = (bytes - sizeof(struct span)) / (size + sizeof(struct record));
  for (;; count--) {
    data = sizeof(struct span) + count * sizeof(struct record);
    data = (data + align - 1) & -align;
    if (data + count * size <= bytes) break;
  }
  return (struct size_class){size, pages, count, data, (uint32_t)(((1ull << 32) + size - 1) / size),
                             {0}};
}

/* Bytes of a span that hold no block. */
static uint32_t waste(const struct size_class *c) {
  return c->pages * (uint32_t)ARENA_PAGE - c->count * (c->size + (uint32_t)sizeof(struct record));
}

/* The shortest span that wastes less than a hundredth at its end, or the best one. That long spans
 * hold many blocks makes the lists of spans change seldom; what of a span was never used costs no
 * memory. */
static struct size_class make(uint32_t size) {
  struct size_class best = in_pages(size, 4);
  for (uint32_t pages = 6; pages <= 64 && waste(&best) * 100 > best.pages * ARENA_PAGE;
       pages += 2) {
    struct size_class c = in_pages(size, pages);
    if (waste(&c) * best.pages < waste(&best) * pages) best = c;
  }
  return best;
}

/* How many blocks of a size may wait for their next use. Each keeps its span, so none of those
 * whose spans are long. */
static uint32_t quick_limit(uint32_t size) {
  uint32_t limit = size <= 1024 ? 16384 / size : 0;
  return limit < QUICK_MAX ? limit : QUICK_MAX;
}

static void quick_make(uint32_t class) {
  const struct size_class *c = &arena_classes[class];
  struct quick *q = &arena_quick[class];
  *q = (struct quick){.size = c->size, .count = c->count, .data = c->data, .divide = c->divide};
  q->top = q->held;
  q->full = q->held + quick_limit(c->size);
}

void classes_make(void) {
  uint32_t class = 0, unit = 0;
  if (arena_classes[0].size) return;
  for (uint32_t size = 16; class < ARENA_CLASSES; class += 2) {
    arena_classes[class] = arena_classes[class + 1] = make(size);
    quick_make(class);
    quick_make(class + 1);
    for (; unit < size / 16; unit++)
      arena_class_of[unit] = (uint8_t) class;
    /* Steps of 16 bytes up to 512, then 16 sizes for each doubling. */
    size += size < 512 ? 16 : (1u << (31 - __builtin_clz(size))) / (size < 1024 ? 16 : 8);
  }
}
