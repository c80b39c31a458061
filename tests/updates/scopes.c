/* Variables that are told apart by more than their names, or that change their scope. */
#include "tests/updates/scopes.h"

#include <stdlib.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

#if VERSION == 1
#define PICK(old, new) old
#else
#define PICK(old, new) new
#endif

/* ---- the scope changes ---- */

/* Static and global. */
PICK(static, ) int sessions;
PICK(, static) int users;
PICK(static, ) void *to_users;

/* Of a function and of the file. */
#if VERSION == 1
static int *requests_at(void) {
  static int requests;
  return &requests;
}
static long answers;
static long *answers_at(void) {
  return &answers;
}
#else
static int requests;
static int *requests_at(void) {
  return &requests;
}
static long *answers_at(void) {
  static long answers;
  return &answers;
}
#endif

/* Two new ones have the name. */
#if VERSION == 1
static int level;
static int *level_at(void) {
  return &level;
}
#else
int level;
ST_VAR(level, renamed_from(level));
__attribute__((noinline)) int *level_at(void) {
  static int count_of_calls;
  return count_of_calls++ < 0 ? &count_of_calls : &level;
}
__attribute__((noinline)) int other_level(int n) {
  static int level = 5;
  return level += n;
}
#endif

/* Another name, too. */
#if VERSION == 1
static int *peers_at(void) {
  static int peers = 1;
  return &peers;
}
#else
static int neighbours = 1;
static int *peers_at(void) {
  return &neighbours;
}
ST_VAR(neighbours, renamed_from(peers));
#endif

/* The static's function has another name. */
#define COUNTER PICK(count_old, count_new)
static int COUNTER(int n) {
  static int counted;
  return counted += n;
}
#if VERSION == 2
ST_FUNCTION(count_new, renamed_from(count_old));
#endif

/* A function. */
PICK(static, ) int called(void) {
  return 7;
}
static int (*callback)(void);

/* ---- one name in several blocks ---- */

#define ONCE(what)                                                                                 \
  do {                                                                                             \
    static int done;                                                                               \
    if (!done++) what++;                                                                           \
  } while (0)

static int first, second;

/* The compiler places what the versions initialise otherwise elsewhere. */
static int *in_block(int which) {
  if (which == 0) {
    static PICK(int, long) n = PICK(0, 1);
    return (int *)&n;
  }
  if (which == 1) {
    static int n = PICK(1, 0);
    ONCE(first);
    return &n;
  }
  static int n;
  ONCE(second);
  return &n;
}

/* ---- no variables ---- */

struct cell {
  int value, more;
};

static struct cell cells[10];
int real = 4;
extern int alias __attribute__((alias("real")));
static int *to_alias;

/* An optimiser knows what `end` is. */
__attribute__((noinline)) static int sum_of_cells(void) {
  struct cell *end = cells + 10;
  int sum = 0;
  for (struct cell *c = cells; c < end; c++)
    sum += c->value;
  return sum;
}

static void build(void) {
  sessions = 1;
  users = 2;
  to_users = &users;
  *requests_at() = 3;
  *answers_at() = 4;
  *level_at() = 5;
  *peers_at() = 6;
  COUNTER(7);
  callback = called;
  for (int i = 0; i < 3; i++)
    *in_block(i) = 10 + i;
  cells[9].value = 9;
  alias = 40;
  to_alias = &alias;
  table[1] = 11;
  next_id();
  unit_build();
}

static int expected_id = 1;

static void verify(void) {
  CHECK(sessions == 1 && users == 2 && to_users == &users);
  CHECK(*requests_at() == 3 && *answers_at() == 4 && *level_at() == 5 && *peers_at() == 6);
  CHECK(COUNTER(0) == 7 && callback == called && callback() == 7);
#if VERSION == 2
  CHECK(other_level(0) == 5);
#endif
  for (int i = 0; i < 3; i++)
    CHECK(*in_block(i) == 10 + i);
  CHECK(first == 1 && second == 1);
  CHECK(sum_of_cells() == 9 && real == 40 && to_alias == &real);
  CHECK(table[1] == 11 && next_id() == ++expected_id);
  unit_verify();
}

PAIR_MAIN(.build = build, .verify = verify)
