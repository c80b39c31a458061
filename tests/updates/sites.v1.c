/* Each version allocates anew, from lines of its own. */
#include <stdlib.h>

#include "libst/arena.h"
#include "tests/updates/pair.h"

struct thing {
  int number;
};

static struct thing *things[3];
static unsigned first_sites;

static void renew(void) {
  for (int i = 0; i < 3; i++)
    free(things[i]);
  things[0] = malloc(sizeof(*things[0]));
  things[1] = malloc(sizeof(*things[1]));
  things[2] = calloc(1, sizeof(*things[2]));
  for (int i = 0; i < 3; i++)
    things[i]->number = i;
}

static void build(void) {
  renew();
  first_sites = ARENA->sites;
}

static void verify(void) {
  for (int i = 0; i < 3; i++)
    CHECK(things[i]->number == i);
  renew();
  renew();
  /* The table of sites has not grown, though no line is the same. */
  CHECK(ARENA->sites == first_sites);
}

PAIR_MAIN(.build = build, .verify = verify)
