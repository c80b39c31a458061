/* State that checks are about. */
#include <stdlib.h>

#include "tests/updates/pair.h"

enum mode { IDLE, BUSY };
struct conn {
  int id;
  struct conn *next;
};

struct conn *conns, *nobody;
int num_conns;
int limit = 10; /* never changed: takes the new version's initial value */
enum mode mode;
double ratio = 0.5;
unsigned long mask = ~0ul;
int crowded = 1;

static void build(void) {
  mode = BUSY;
  for (; num_conns < 3; num_conns++) {
    struct conn *c = calloc(1, sizeof(*c));
    c->id = 10 + num_conns;
    c->next = conns;
    conns = c;
  }
}

static void verify(void) {
  CHECK(num_conns == 3 && conns->id == 12 && !nobody && limit == 10 && mode == BUSY);
  CHECK(ratio == 0.5 && mask == ~0ul && crowded);
}

PAIR_MAIN(.build = build, .verify = verify)
