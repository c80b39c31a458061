/* Both versions. Until commit, and after it until everything is written back, the new version's
 * heap is a private copy of the old one's: to give a page back would bring the old bytes back. */
#ifndef TESTS_TRAPS_PRIVATE_H
#define TESTS_TRAPS_PRIVATE_H

#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

enum { BIG = 8 << 20, NODES = 3000 };

struct node {
#ifdef NEW
  long added[3];
#endif
  struct node *next;
  unsigned number;
};

static struct node *list;
static unsigned char *big, *other;

static int holds(const unsigned char *at, unsigned char value) {
  for (size_t i = 0; i < BIG; i++)
    if (at[i] != (unsigned char)(value + i % 251)) return 0;
  return 1;
}

static unsigned char *filled(unsigned char value) {
  unsigned char *at = malloc(BIG);
  CHECK(at != NULL);
  for (size_t i = 0; i < BIG; i++)
    at[i] = (unsigned char)(value + i % 251);
  return at;
}

#endif
