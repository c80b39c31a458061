#include "tests/updates/journal_state.h"

PAIR_MAIN(.build = build_state, .verify = check_state)
