/* A large heap: much that stays as it is, and many objects whose type changes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#ifndef LARGE_NODES
#define LARGE_NODES 50000
#define LARGE_BYTES (64 << 20)
#endif

struct node {
  struct node *left, *right;
  int key;
};

static struct node *root;
static struct node **index_of;
static unsigned char *bytes;
static uint32_t *words[64];

static void build(void) {
  bytes = malloc(LARGE_BYTES);
  memset(bytes, 0x5a, LARGE_BYTES);
  for (int i = 0; i < 64; i++) {
    words[i] = malloc(1000 * (size_t)(i + 1));
    words[i][0] = (uint32_t)i;
  }
  index_of = malloc(LARGE_NODES * sizeof(*index_of));
  for (int i = 0; i < LARGE_NODES; i++) {
    struct node *n = malloc(sizeof(*n));
    *n = (struct node){.key = i};
    index_of[i] = n;
    if (i > 0) *(i % 2 ? &index_of[(i - 1) / 2]->left : &index_of[(i - 1) / 2]->right) = n;
  }
  root = index_of[0];
}

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

PAIR_MAIN(.build = build, .verify = verify)
