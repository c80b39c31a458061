#define NEW
#include "tests/traps/initial.h"

static void verify(void) {
  /* As it began: begins as the new version does. */
  CHECK(untouched == 2 && touched_back == 7 && *counter() == 200);
  CHECK(strcmp(text, "new") == 0 && strcmp(same_text, "same") == 0);
  CHECK(target == &two && same_target == &one && two == 2);
  CHECK(strcmp(entries[0].name, "y") == 0 && strcmp(entries[1].name, "z") == 0 &&
        entries[1].value == 3);
  CHECK(placed == 2 && in_library == toupper);
  /* Changed since: kept. */
  CHECK(touched == 7 && touched_same == 9 && touched_lost == 5);
  CHECK(strcmp(touched_text, "at run time") == 0 && touched_target == &touched);
  CHECK(placed_touched == 8 && touched_in_library == tolower);
  CHECK(half_touched.a == 1 && half_touched.b == 9);
  /* An initialiser in one version only says nothing of a running program. */
  CHECK(gained == 0 && lost == 4);
}

PAIR_MAIN(.verify = verify)
