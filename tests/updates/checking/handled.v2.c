#include <stdlib.h>

#include "libst/handler.h"
#include "tests/updates/pair.h"

enum { NODES = 20 };
struct node {
  int key;
  struct node *next;
};
struct price {
  int amount; /* in hundredths, now */
};

static struct node *list; /* sorted, now */
static struct price prices[3];
static struct {
  int count;
  struct price price;
} order;

ST_TYPE_HANDLER(price_in_hundredths, struct price, amount) {
  new->amount = 100 * (int)st_old_integer(st_old_field(old, "amount"));
  return 0;
}

ST_VAR_HANDLER(list_sorted, list, list->next, list->key) {
  struct node *first = *new, *sorted = NULL;
  (void)old;
  while (first) {
    struct node *n = first, **at = &sorted;
    first = n->next;
    while (*at && (*at)->key < n->key)
      at = &(*at)->next;
    n->next = *at;
    *at = n;
  }
  *new = sorted;
  return 0;
}

static void verify(void) {
  int key = 0;
  for (struct node *n = list; n; n = n->next)
    CHECK(n->key == key++);
  CHECK(key == NODES && prices[1].amount == 500 && order.price.amount == 500 && order.count == 2);
}

PAIR_MAIN(.verify = verify)
