#include "tests/traps/units.h"

struct conn {
#ifdef NEW
  long port;
  char name[4];
#else
  char name[4];
  int port;
#endif
  struct conn *next;
};

static struct conn *conns;

#ifndef NEW
static void build(void) {
  conns = calloc(1, sizeof(*conns));
  CHECK(conns != NULL);
  *conns = (struct conn){.name = "abc", .port = 80, .next = conns};
  ticks(3);
  other_build();
}
#define BUILD .build = build,
#else
#define BUILD
#endif

static void verify(void) {
  CHECK(conns->port == 80 && conns->name[2] == 'c' && conns->next == conns && ticks(0) == 3);
  other_verify();
}

PAIR_MAIN(BUILD.verify = verify)
