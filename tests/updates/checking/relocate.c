/* Updates to itself that move all: what is known as a pointer follows, what is not is found. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

struct item {
  int count;
  unsigned long address; /* no pointer, by its type */
  struct item *next;
};
struct text {
  unsigned length;
  char bytes[];
};
union either {
  long number;
  struct item *item;
};

enum { ITEMS = 1000, ALIGNED = 256 };

static struct item *list, *array, *inside, *end;
static struct text *text;
static double *aligned;
static char *large;
static int *into_large;
static const char *literal = "a constant";
static void (*function)(void);
static uintptr_t inverted; /* of the last place of `list`: not recognised as an address */
static unsigned updates;

#ifdef HIDDEN_VARIABLE
static uintptr_t hidden;
#endif
#ifdef HIDDEN_FUNCTION
static uintptr_t hidden[3];
#endif
#ifdef PINNED
static union either either;
#endif
#ifdef UNTYPED
static void *untyped;
#endif
#if defined(OPAQUE) || defined(HIDDEN_BYTES)
static char *bytes;
static char *bytes_new(void) {
  return malloc(64);
}
#endif
#ifdef OPAQUE
ST_BLOCKS(bytes_new, opaque);
#endif

static void called(void) {
  updates++;
}

static void build(void) {
  for (int i = 0; i < ITEMS; i++) {
    struct item *item = calloc(1, sizeof(*item));
    item->count = i;
    item->next = list;
    list = item;
  }
  array = calloc(10, sizeof(*array));
  array[7].count = 77;
  array[3].next = inside = &array[7];
  end = &array[10];
  text = malloc(sizeof(*text) + 100);
  text->length = 100;
  memset(text->bytes, 'x', 100);
  aligned = aligned_alloc(ALIGNED, 40 * sizeof(double));
  aligned[39] = 0.5;
  large = calloc(300000, 1);
  memcpy(large + 299990, "the end", 8);
  into_large = (int *)(large + 200000);
  *into_large = 5;
  function = called;
  inverted = ~(uintptr_t)list;
#ifdef HIDDEN_VARIABLE
  hidden = (uintptr_t)list->next + 4;
#endif
#if defined(HIDDEN_MEMBER) || defined(HIDDEN_FOUND)
  list->next->address = (uintptr_t)&array[2];
#endif
#ifdef HIDDEN_FUNCTION
  hidden[2] = (uintptr_t)called;
#endif
#ifdef PINNED
  either.item = list->next;
#endif
#ifdef UNTYPED
  untyped = malloc((size_t)list->count + 100);
  *(void **)untyped = list->next;
#endif
#if defined(OPAQUE) || defined(HIDDEN_BYTES)
  bytes = bytes_new();
  memset(bytes, 'x', 64);
  memcpy(bytes + 16, &inside, sizeof(inside));
#endif
}

static void verify(void) {
  int count = ITEMS;
  for (struct item *item = list; item; item = item->next)
    CHECK(item->count == --count);
  CHECK(count == 0 && array[3].next == inside && inside == &array[7] && end == &array[10]);
  CHECK(inside->count == 77 && text->length == 100 && text->bytes[99] == 'x');
  CHECK((uintptr_t)aligned % ALIGNED == 0 && aligned[39] == 0.5);
  CHECK(strcmp(large + 299990, "the end") == 0 && *into_large == 5);
  CHECK(strcmp(literal, "a constant") == 0);
#ifdef PINNED
  CHECK(either.item == list->next);
#endif
#ifdef UNTYPED
  CHECK(*(void **)untyped == list->next);
#endif
#ifdef OPAQUE
  CHECK(bytes[0] == 'x' && bytes[15] == 'x' && bytes[24] == 'x' && bytes[63] == 'x');
#endif
#ifdef MOVES
  /* All that can be reached has moved, and where it was is poison. */
  const struct item *old = (const struct item *)~inverted;
  CHECK(old != list && (unsigned)old->count == 0xdbdbdbdb);
#endif
  inverted = ~(uintptr_t)list;
  function();
}

PAIR_MAIN(.build = build, .verify = verify)
