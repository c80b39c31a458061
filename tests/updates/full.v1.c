/* A heap that has no room for the new version's larger nodes, until the program frees something. */
#include <errno.h>
#include <stdlib.h>

#include "tests/updates/pair.h"

enum { NODES = 50000, FILLERS = 64, FILLER_BYTES = 1 << 30 };

struct node {
  struct node *next;
  int key;
};

static struct node *first;
static char *fillers[FILLERS];
static int filler_count;

static void build(void) {
  for (int i = NODES; i-- > 0;) {
    struct node *n = malloc(sizeof(*n));
    *n = (struct node){first, i};
    first = n;
  }
  /* Nothing is ever written there, so it costs no memory. */
  for (size_t bytes = FILLER_BYTES; bytes >= 4096; bytes /= 2) {
    char *filler;
    while (filler_count < FILLERS && (filler = malloc(bytes))) {
      fillers[filler_count++] = filler;
    }
    CHECK(errno == ENOMEM);
  }
}

static void verify(void) {
  int i = 0;
  for (struct node *n = first; n; n = n->next)
    CHECK(n->key == i++);
  CHECK(i == NODES);
  free(fillers[0]);
  fillers[0] = NULL;
}

PAIR_MAIN(.build = build, .verify = verify)
