#include "tests/updates/pair.h"
#include "tests/updates/statics/two.h"

/* The new version has no `level` here; the one of the other file is another variable. */
static int level = 1;
static int count;

static void kept(void) {
  CHECK(1);
}

static void (*callback)(void);

static void build(void) {
  level = 11;
  count = 12;
  callback = kept;
  two_build();
  three_build();
}

static void verify(void) {
  CHECK(level == 11 && count == 12 && callback == kept);
  two_verify();
  three_verify();
}

PAIR_MAIN(.build = build, .verify = verify)
