#include "tests/updates/statics/two.h"

#include "tests/updates/pair.h"

static int level = 2;
static int count;

static void kept(void) {
  CHECK(2);
}

static void (*callback)(void);

void two_build(void) {
  level = 21;
  count = 22;
  callback = kept;
}

void two_verify(void) {
  CHECK(level == 21 && count == 22 && callback == kept);
}
