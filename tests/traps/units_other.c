#include "tests/traps/units.h"

struct conn {
  struct conn *peer;
#ifdef NEW
  unsigned long long bytes;
  double rate;
#else
  unsigned bytes;
#endif
};

static struct conn *conns;

#ifndef NEW
void other_build(void) {
  conns = calloc(2, sizeof(*conns));
  CHECK(conns != NULL);
  conns[0] = (struct conn){.peer = &conns[1], .bytes = 4000000000u};
  conns[1] = (struct conn){.peer = &conns[0], .bytes = 7};
  ticks(50);
}
#endif

void other_verify(void) {
  CHECK(conns[0].peer == &conns[1] && conns[1].peer == conns);
  CHECK(conns[0].bytes == 4000000000u && conns[1].bytes == 7 && ticks(0) == 50);
}
