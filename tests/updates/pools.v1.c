/* Objects in memory that the program divides itself: a static array of bytes, slabs with a header,
 * slabs of bytes, and blocks of bytes. Updates go both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

struct item {
  int number;
  struct item *next;
  char *name;
};

#include "tests/updates/pools.h"

static void build(void) {
  arena_items = 7;
  for (int i = 0; i < 7; i++)
    fill((struct item *)arena + i, i);
  for (int i = 0; i < 5; i++)
    fill(slab_take(), 100 + i);
  for (int i = 0; i < 30; i++)
    fill(tail_take(), 200 + i);
  for (int i = 0; i < 90; i++)
    fill(block_take(), 300 + i);
}

PAIR_MAIN(.build = build, .verify = verify)
