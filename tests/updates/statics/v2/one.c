#include "tests/updates/pair.h"
#include "tests/updates/statics/two.h"

static long count;

static void kept(void) {
  CHECK(1);
}

static void (*callback)(void);

static void verify(void) {
  CHECK(count == 12 && callback == kept);
  two_verify();
  three_verify();
}

PAIR_MAIN(.verify = verify)
