/* The other file of the pair `scopes`. */
#include "tests/updates/scopes.h"

#include "tests/updates/pair.h"

static int expected = 2;

void unit_build(void) {
  table[1] = 21;
  next_id();
  next_id();
}

void unit_verify(void) {
  CHECK(table[1] == 21 && next_id() == ++expected);
}
