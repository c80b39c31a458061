/* State that is transferred there and back. */
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

enum colour { RED, GREEN, BLUE };
struct item {
  int id;
  enum colour colour;
  short gone;
  unsigned flag : 3, level : 9;
  struct item *next;
  const char *name;
};

static struct item *list, *middle;
static struct item items[4];
static int (*compare)(const char *, const char *);
static void (*own)(void);
static int table[8];
static int limit = 10; /* takes its new initial value */
static int removed = 1;
static union {
  long number;
  void *pointer;
} either;

static void called(void) {
  removed++;
}

static void build(void) {
  for (int i = 0; i < 3; i++) {
    struct item *item = calloc(1, sizeof(*item));
    item->id = i;
    item->colour = (enum colour)i;
    item->gone = (short)(i + 1);
    item->flag = 5;
    item->level = 300;
    item->next = list;
    item->name = i ? "a name" : "another name";
    list = item;
  }
  items[2].next = middle = &items[3];
  middle->id = 9;
  compare = strcmp;
  own = called;
  table[3] = 1;
  either.number = 4711;
}

static void verify(void) {
  CHECK(list->id == 2 && list->colour == BLUE && middle == &items[3] && compare && own && removed);
  CHECK(table[3] == 1 && limit == 10 && either.number == 4711);
}

PAIR_MAIN(.build = build, .verify = verify)
