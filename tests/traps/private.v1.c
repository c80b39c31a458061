#include "tests/traps/private.h"

static void build(void) {
  for (unsigned i = 0; i < NODES; i++) {
    struct node *n = calloc(1, sizeof(*n));
    CHECK(n != NULL);
    n->number = i;
    n->next = list;
    list = n;
  }
  big = filled(1);
  other = filled(2);
}

static void verify(void) {
  unsigned i = NODES;
  for (const struct node *n = list; n; n = n->next)
    CHECK(n->number == --i);
  CHECK(i == 0 && holds(big, 1) && holds(other, 2));
}

PAIR_MAIN(.build = build, .verify = verify)
