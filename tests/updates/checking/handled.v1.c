/* State whose handlers change what pairs by itself. */
#include <stdlib.h>

#include "tests/updates/pair.h"

enum { NODES = 20 };
struct node {
  int key;
  struct node *next;
};
struct price {
  int amount;
};

static struct node *list;
static struct price prices[3];
static struct {
  int count;
  struct price price;
} order;

static void build(void) {
  for (int i = 0; i < NODES; i++) {
    struct node *n = calloc(1, sizeof(*n));
    *n = (struct node){i * 7 % NODES, list};
    list = n;
  }
  prices[1].amount = order.price.amount = 5;
  order.count = 2;
}

static void verify(void) {
  CHECK(list->key == 19 * 7 % NODES && prices[1].amount == 5 && order.count == 2);
}

PAIR_MAIN(.build = build, .verify = verify)
