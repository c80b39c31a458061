/* The nodes are larger. */
#include <stddef.h>

#include "tests/updates/pair.h"

enum { NODES = 50000, FILLERS = 64 };

struct node {
  int key;
  long added[6];
  struct node *next;
};

static struct node *first;
static char *fillers[FILLERS];
static int filler_count;

static void verify(void) {
  int i = 0;
  for (struct node *n = first; n; n = n->next)
    CHECK(n->key == i++ && n->added[5] == 0);
  CHECK(i == NODES && !fillers[0] && fillers[filler_count - 1]);
}

PAIR_MAIN(.verify = verify)
