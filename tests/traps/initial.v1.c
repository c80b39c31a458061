/* Initialisers, three ways: what the old version began with, what became of it, and what the new
 * version begins with. */
#include "tests/traps/initial.h"

static void build(void) {
  touched = 7;
  touched_same = 9;
  touched_back = 70;
  touched_back = 6;
  touched_lost = 5;
  touched_text = "at run time";
  touched_target = &touched;
  half_touched.b = 9;
  placed_touched = 8;
  touched_in_library = tolower;
}

static void verify(void) {
  CHECK(untouched == 1 && touched == 7 && gained == 0 && lost == 4);
  CHECK(strcmp(text, "old") == 0 && target == &one && entries[0].value == 1 && same_target);
  CHECK(placed == 1 && in_library == abs && touched_in_library == tolower);
  CHECK(*counter() == 100 && two == 2 && *same_text == 's');
}

PAIR_MAIN(.build = build, .verify = verify)
