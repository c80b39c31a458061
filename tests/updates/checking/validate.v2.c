#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#ifdef MERGED
enum colour { BLUE = 1, GREEN = 1, RED = 0 }; /* who was blue is green on the way back */
#else
enum colour { BLUE, GREEN, RED };
#endif
struct item {
  const char *name;
  long id;
  struct item *next;
  unsigned level : 10, flag : 4;
  enum colour colour;
  long added;
};

static int table[4];
static struct item *list, *middle;
static struct item items[6];
static int (*compare)(const char *, const char *);
static void (*own)(void);
static int limit = 5;
static union {
  long number;
  void *pointer;
} either;

static void called(void) {
  limit++;
}

static void verify(void) {
  CHECK(list->id == 2 && list->colour == BLUE && list->flag == 5 && list->level == 300);
  CHECK(strcmp(list->name, "a name") == 0 && list->next->id == 1 && middle == &items[3]);
  CHECK(compare == strcmp && own == called && table[3] == 1 && limit == 5);
  CHECK(either.number == 4711);
}

PAIR_MAIN(.verify = verify)
