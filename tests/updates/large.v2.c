/* The nodes more than double. */
#include <stddef.h>
#include <stdint.h>

#include "tests/updates/pair.h"

#ifndef LARGE_NODES
#define LARGE_NODES 50000
#define LARGE_BYTES (64 << 20)
#endif

struct node {
  int key;
  long added[6];
  struct node *right, *left;
};

static struct node *root;
static struct node **index_of;
static unsigned char *bytes;
static uint32_t *words[64];

static int check_tree(const struct node *n, int i) {
  if (i >= LARGE_NODES) {
    CHECK(!n);
    return 0;
  }
  CHECK(n == index_of[i] && n->key == i);
  return 1 + check_tree(n->left, 2 * i + 1) + check_tree(n->right, 2 * i + 2);
}

static void verify(void) {
  CHECK(check_tree(root, 0) == LARGE_NODES);
  for (size_t i = 0; i < LARGE_BYTES; i += 4093)
    CHECK(bytes[i] == 0x5a);
  for (int i = 0; i < 64; i++)
    CHECK(words[i][0] == (uint32_t)i);
}

PAIR_MAIN(.verify = verify)
