/* Allocates objects whose sizes tell their types: the test compares what the metadata says of each
 * allocation with its size. */
#include "sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW(type) ((type *)malloc(sizeof(type)))
#define CHECKED(statement)                                                                         \
  do {                                                                                             \
    if (!(statement)) abort();                                                                     \
  } while (0)

void *volatile sink;

/* wrappers */

static void *checked(void *block) {
  if (!block) abort();
  return block;
}

void *xmalloc(size_t bytes) {
  void *block = malloc(bytes);
  if (!block) abort();
  return block;
}

static void *zeroed(size_t bytes) {
  void *block = xmalloc(bytes);
  memset(block, 0, bytes);
  return block;
}

static inline void *inlined(size_t bytes) {
  return calloc(1, bytes);
}

__attribute__((noinline)) static void *grown(void *block, size_t bytes) {
  block = realloc(block, bytes);
  if (!block) abort();
  return block;
}

/* Makes its own type, and gives memory to others. */
__attribute__((noinline)) static void *with_ledger(size_t bytes) {
  struct s104 *ledger = malloc(sizeof *ledger);
  sink = ledger;
  return malloc(bytes);
}

/* No wrapper: it decides itself. */
static struct s112 *make_112(void) {
  struct s112 *object = calloc(1, sizeof *object);
  if (!object) abort();
  return object;
}

static struct s48 *take_48(struct s48 *first, void *second) {
  sink = second;
  return first;
}

struct holder {
  struct s120 *member;
  void *untyped;
};

static void take(void *pointer) {
  sink = pointer;
}

static struct s48 *used;

__attribute__((noinline)) static void take_two(void *first, void *second) {
  sink = first;
  sink = used = second;
}

static struct s128 *conditional(int which) {
  return which ? malloc(sizeof(struct s128)) : NULL;
}

int main(int argc, char **argv) {
  (void)argv;
  struct s16 *a = malloc(sizeof *a);
  sink = a;
  struct s24 *b;
  b = malloc(sizeof(struct s24));
  sink = b;
  sink = NEW(struct s32);
  struct s40 *c = NULL;
  CHECKED(c = calloc(1, sizeof *c));
  sink = c;
  take(malloc(sizeof(struct s48)));
  take_two(NULL, realloc(malloc(8 * argc), sizeof(struct s48)));
  take_two(malloc(sizeof(struct s48)), /* two on one line and one on the next */
           take_48(malloc(sizeof(struct s48)), malloc(sizeof(struct s48))));
  struct s16 *before = xmalloc(sizeof *before);
  take(xmalloc(sizeof(struct s24)));
  sink = before;
  struct s56 **table = calloc(101 * argc, sizeof *table); /* 808: pointers */
  sink = table;
  struct s56 *elements = calloc(3 * argc, sizeof *elements); /* 168 */
  sink = elements;
  sink = checked(NEW(struct s64));
  struct s72 *d = xmalloc(sizeof *d);
  sink = d;
  struct s80 *e = zeroed(sizeof *e);
  sink = e;
  struct s88 *f = inlined(sizeof *f);
  sink = f;
  struct s96 *g = grown(NULL, sizeof *g);
  sink = g;
  struct s200 *h = with_ledger(sizeof *h);
  sink = h;
  sink = make_112();
  struct holder holder = {.member = xmalloc(sizeof(struct s120))};
  sink = holder.member;
  sink = conditional(argc);
  struct s136 *flexible = malloc(sizeof *flexible + 3); /* 139 */
  sink = flexible;
  struct s144 *aligned = aligned_alloc(16, sizeof *aligned);
  sink = aligned;
  struct s152 *memaligned;
  CHECKED(posix_memalign((void **)&memaligned, 8, sizeof *memaligned) == 0);
  sink = memaligned;
  struct s160 *resized = reallocarray(NULL, argc, sizeof *resized);
  sink = resized;
  typedef_184 *named_by_typedef = malloc(sizeof *named_by_typedef);
  sink = named_by_typedef;
  struct s176 *first = argc ? malloc(sizeof *first) : NULL;
  sink = first;
  sink = strdup("thirty-one characters long, yes"); /* 32: char, as is 21 */
  char *buffer = malloc(20 + argc);
  sink = buffer;
  unsigned char *bytes = malloc(22 + argc);
  sink = bytes;
  int *integers = malloc(331 * sizeof *integers * argc); /* 1324 */
  sink = integers;
  double *reals = malloc(sizeof(double) * 333 * argc); /* 2664 */
  sink = reals;
  /* untyped: */
  void *plain = malloc(301 * argc);
  sink = plain;
  struct s16 *liar = malloc(sizeof(struct s24) + 302 - 24);
  sink = liar;
  struct s24 *tail = malloc(sizeof *tail + 303 - 24);
  sink = tail;
  char *mixed = malloc(sizeof(struct s24) + 304 - 24);
  sink = mixed;
  other_file();
  return 0;
}
