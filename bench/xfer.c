/* The subject of the transfer benches: an update pair (tests/updates/pair.h) whose old version
 * builds what XFER_KIND says, XFER_COUNT times, and whose new version (NEW) verifies it.
 *
 *   bytes     XFER_COUNT MB without pointers, half in one block, half in blocks of 1 KB
 *   same      a tree of XFER_COUNT objects with two pointers each, whose type stays
 *   changed   such a tree of objects that get members and another order of them */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/updates/pair.h"

struct same {
  struct same *left, *right;
  long key;
  char text[16];
};

#ifndef NEW
struct changed {
  struct changed *left, *right;
  int key;
};
#else
struct changed {
  int key;
  long added[4];
  struct changed *right, *left;
};
#endif

struct kilobyte {
  unsigned char bytes[1000];
};

static struct same *same;
static struct changed *changed;
static unsigned char *bytes;
static size_t count;

#ifndef NEW
static struct kilobyte *last;

/* Where the nodes are while the tree is built; no part of the state. */
static void *table(void) {
  void *p = mmap(NULL, count * sizeof(void *), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(p != MAP_FAILED);
  return p;
}

static void build_same(void) {
  struct same **nodes = table();
  for (size_t i = 0; i < count; i++) {
    struct same *n = malloc(sizeof(*n));
    *n = (struct same){.key = (long)i, .text = "unchanged"};
    nodes[i] = n;
    if (i > 0) *(i % 2 ? &nodes[(i - 1) / 2]->left : &nodes[(i - 1) / 2]->right) = n;
  }
  same = nodes[0];
  munmap(nodes, count * sizeof(void *));
}

static void build_changed(void) {
  struct changed **nodes = table();
  for (size_t i = 0; i < count; i++) {
    struct changed *n = malloc(sizeof(*n));
    *n = (struct changed){.key = (int)i};
    nodes[i] = n;
    if (i > 0) *(i % 2 ? &nodes[(i - 1) / 2]->left : &nodes[(i - 1) / 2]->right) = n;
  }
  changed = nodes[0];
  munmap(nodes, count * sizeof(void *));
}

static void build_bytes(void) {
  size_t half = count << 19;
  bytes = malloc(half);
  memset(bytes, 0x5a, half);
  for (size_t i = 0; i < half / sizeof(struct kilobyte); i++) {
    struct kilobyte *k = malloc(sizeof(*k));
    memset(k, 0x5a, sizeof(*k));
    last = k;
  }
}

static void build(void) {
  const char *kind = getenv("XFER_KIND");
  CHECK(kind && getenv("XFER_COUNT"));
  count = strtoul(getenv("XFER_COUNT"), NULL, 10);
  CHECK(count > 0);
  if (strcmp(kind, "bytes") == 0)
    build_bytes();
  else if (strcmp(kind, "same") == 0)
    build_same();
  else
    build_changed();
}
#define BUILD .build = build,
#else
#define BUILD
#endif

static size_t count_same(const struct same *n, size_t i) {
  CHECK(!n == (i >= count));
  if (!n) return 0;
  CHECK(n->key == (long)i && strcmp(n->text, "unchanged") == 0);
  return 1 + count_same(n->left, 2 * i + 1) + count_same(n->right, 2 * i + 2);
}

static size_t count_changed(const struct changed *n, size_t i) {
  CHECK(!n == (i >= count));
  if (!n) return 0;
  CHECK(n->key == (int)i);
#ifdef NEW
  CHECK(n->added[0] == 0 && n->added[3] == 0);
#endif
  return 1 + count_changed(n->left, 2 * i + 1) + count_changed(n->right, 2 * i + 2);
}

static void verify(void) {
  CHECK(!same || count_same(same, 0) == count);
  CHECK(!changed || count_changed(changed, 0) == count);
  for (size_t i = 0; bytes && i < count << 19; i += 4093)
    CHECK(bytes[i] == 0x5a);
}

PAIR_MAIN(BUILD.verify = verify)
