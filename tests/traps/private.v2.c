#define NEW
#include <stdint.h>

#include "tests/traps/private.h"

static struct node *thinned(struct node *n) {
  struct node *kept = NULL;
  for (struct node *next; n; n = next) {
    next = n->next;
    if (n->number % 3 == 0) {
      n->added[2] = n->number;
      n->next = kept;
      kept = n;
    } else {
      free(n);
    }
  }
  return kept;
}

/* Frees pages and uses them again, all before commit. */
static void imported(void) {
  CHECK(holds(big, 1) && holds(other, 2));
  void *more[8];
  for (int i = 0; i < 8; i++)
    more[i] = malloc(100000);
  uintptr_t at = (uintptr_t)big;
  free(big);
  for (int i = 0; i < 8; i++) /* memory is given back a part with each */
    free(more[i]);
  unsigned char *zero = calloc(1, BIG);
  CHECK(zero != NULL && (uintptr_t)zero == at);
  for (size_t i = 0; i < BIG; i++)
    CHECK(zero[i] == 0);
  free(zero);
  big = filled(3);
  list = thinned(list);
  memset(other, 9, BIG / 2);
  free(filled(4));
}

static void check(void) {
  unsigned count = 0;
  for (const struct node *n = list; n; n = n->next, count++)
    CHECK(n->number == count * 3 && n->added[2] == (long)n->number && n->added[0] == 0);
  CHECK(count == NODES / 3 && holds(big, 3));
  CHECK(other[0] == 9 && other[BIG / 2 - 1] == 9 &&
        other[BIG - 1] == (unsigned char)(2 + (BIG - 1) % 251));
}

/* Written back: now pages may be given back. */
static void verify(void) {
  check();
  free(filled(5));
  unsigned char *again = filled(6);
  check();
  CHECK(holds(again, 6));
  free(again);
}

PAIR_MAIN(.imported = imported, .verify = verify)
