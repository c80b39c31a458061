/* One program, a case at a time, as refuse.c: what its annotations say in the new version (NEW
 * defined) of an old one that said nothing, and what must be refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

#ifdef NEW
#define PICK(old, new) new
#else
#define PICK(old, new) old
#endif

enum kind { KIND_NONE, KIND_NUMBER, KIND_POINTER };

struct item {
  int number;
  PICK(, long added;)
};

struct value {
  enum kind kind;
  union {
    long number;
    struct item *item;
    PICK(, char room[24];)
  } u;
};

struct holder {
#if defined(TWO_NAMES)
  PICK(int first; int second;, int first; int other;)
#elif defined(FORMER_UNKNOWN)
  PICK(int fourth;, int first;)
#endif
  uintptr_t item;
};

static struct value *values;
static struct holder holder;
static uintptr_t tagged;
static char pool[200];
static void *mark;
static char *blocks;
#ifdef LOST
PICK(uintptr_t lost; ST_VAR(lost, pointer_to(struct item));, uintptr_t lost;)
#endif
#ifdef VARIABLE_UNKNOWN
PICK(int *latest;, int *present; ST_VAR(present, renamed_from(lastest));)
#endif
#ifdef NO_DISCRIMINATOR
struct option {
  PICK(, int which;)
  union {
    long number;
    struct item *item;
  };
};
struct option option;
PICK(, ST_FIELD(struct option, number, live_by(which, 1 = number, 2 = item));)
#endif
#ifdef OPAQUE_GROWS
PICK(int, long) opaque_one;
PICK(, ST_VAR(opaque_one, opaque);)
#endif
#ifdef TAG_CHANGES
uintptr_t coloured;
ST_VAR(coloured, tagged_pointer(PICK(1, 3)));
#endif

#ifdef NEW
#ifndef UNSAID
#ifdef NO_CASE
ST_FIELD(struct value, u, live_by(kind, KIND_NUMBER = number));
#else
ST_FIELD(struct value, u,
         live_by(kind, KIND_NUMBER = number, KIND_POINTER = item, default = nothing));
#endif
#endif
ST_FIELD(struct holder, item, pointer_to(struct item));
ST_VAR(tagged, tagged_pointer(7));
ST_VAR(pool, pool_of(struct item));
ST_VAR(mark, not_pointer);
#ifdef TWO_NAMES
ST_FIELD(struct holder, first, renamed_from(second));
#endif
#ifdef FORMER_UNKNOWN
ST_FIELD(struct holder, first, renamed_from(fouth));
#endif
#endif

char *blocks_new(void); /* not static: the new version never calls it */
char *blocks_new(void) {
  return calloc(1, 100);
}
PICK(, ST_BLOCKS(blocks_new, pool_of(struct item));)

#ifndef NEW
static void build_case(void) {
#ifdef NO_CASE
  values[0].kind = KIND_POINTER;
#endif
#ifdef LOST
  lost = holder.item;
#endif
#ifdef VARIABLE_UNKNOWN
  latest = &values[1].u.item->number;
#endif
#ifdef NO_DISCRIMINATOR
  option.item = values[1].u.item;
#endif
#ifdef OPAQUE_GROWS
  opaque_one = 1;
#endif
#ifdef TAG_CHANGES
  coloured = holder.item | 1;
#endif
#ifdef POOL_FULL
  ((struct item *)pool)[49].number = 1;
#endif
#ifdef TYPED_TAG
  tagged = holder.item | 8;
#endif
}

static void build(void) {
  values = calloc(3, sizeof(*values));
  for (int i = 1; i < 3; i++) {
    values[i].kind = i == 1 ? KIND_POINTER : KIND_NUMBER;
    values[i].u.number = 77;
  }
  values[1].u.item = calloc(1, sizeof(struct item));
  values[1].u.item->number = 5;
  holder.item = (uintptr_t)values[1].u.item;
  tagged = holder.item | 5;
  blocks = blocks_new();
  for (int i = 0; i < 10; i++) {
    ((struct item *)pool)[i].number = i;
    ((struct item *)blocks)[i].number = i;
  }
  mark = (void *)holder.item;
  build_case();
}
#define BUILD .build = build,
#else
#define BUILD
#endif

static void verify(void) {
  struct item *item = values[1].u.item;
  CHECK(values[2].u.number == 77 && item->number == 5 && holder.item == (uintptr_t)item);
  CHECK(tagged == ((uintptr_t)item | 5) || (tagged == ((uintptr_t)item | 8)));
  for (int i = 0; i < 10; i++)
    CHECK(((struct item *)pool)[i].number == i && ((struct item *)blocks)[i].number == i);
  CHECK(mark != NULL && blocks_new != NULL);
}

PAIR_MAIN(BUILD.verify = verify)
