/* Objects in memory that the program divides itself: a static array of bytes, slabs with a header,
 * slabs of bytes, and blocks of bytes. Updates go both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

struct item {
  char *name;
  long before;
  int number;
  struct item *next;
};

#include "tests/updates/pools.h"

static void build(void) {
  fill(slab_take(), 0);
  fill(tail_take(), 0);
  fill(block_take(), 0);
}

PAIR_MAIN(.build = build, .verify = verify)
