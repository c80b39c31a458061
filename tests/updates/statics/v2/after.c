/* The new version has it under another name, by what it defines. */
#include "tests/updates/pair.h"
#include "tests/updates/statics/two.h"

static int level = 3;
static long count;

void three_verify(void) {
  CHECK(level == 31 && count == 32);
}
