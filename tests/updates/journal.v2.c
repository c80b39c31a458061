/* The same journal with everything in other places. */
#include "tests/updates/journal_state.h"

static int pushes_everything_down[100] = {1, 2, 3};

static void verify(void) {
  check_state();
  CHECK(pushes_everything_down[2] == 3);
}

PAIR_MAIN(.build = build_state, .verify = verify)
