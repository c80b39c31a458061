/* Both files of both versions have a `struct conn`, a static `conns`, and a static in an inline
 * function; none is the other's. */
#ifndef TESTS_TRAPS_UNITS_H
#define TESTS_TRAPS_UNITS_H

#include <stdlib.h>

#include "tests/updates/pair.h"

static inline int ticks(int add) {
  static int ticks;
  return ticks += add;
}

void other_build(void);
void other_verify(void);

#endif
