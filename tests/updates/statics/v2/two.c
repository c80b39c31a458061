#include "tests/updates/statics/two.h"

#include "tests/updates/pair.h"

static void (*callback)(void);
static long count;

static void kept(void) {
  CHECK(2);
}

static int level = 2;

void two_verify(void) {
  CHECK(level == 21 && count == 22 && callback == kept);
}
