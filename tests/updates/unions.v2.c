/* Unions whose live member is told by a discriminator, as variables, members and in heap arrays.
 * Updates go both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"
#include "tests/updates/unions.h"

enum kind { KIND_LIST = 7, KIND_POINT, KIND_TEXT, KIND_NUMBER, KIND_NONE, KIND_ADDED };

struct point {
  long z, y, x;
};

union payload {
  char room[40];
  struct value *list;
  struct point point;
  char *text;
  long number;
};

struct value {
  union payload u;
  short added;
  enum kind kind;
};

struct packet {
  char added;
  union {
    struct value *by;
    struct point at;
  };
  unsigned shape : 5;
  unsigned length : 20;
};

union event {
  long type;
  struct {
    long type;
    char key;
    long added;
  } pressed;
  struct {
    long type;
    long added;
    struct point *where;
  } moved;
};
#define EVENT_MOVED 1

struct nest {
  struct {
    union {
      char room[24];
      char *text;
      long number;
    };
    int pad;
  };
  enum kind kind;
};

#include "tests/updates/unions_annotations.h"

static struct value single;
static struct value *values;
static struct packet packets[3];
static union event events[3];
static struct nest nests[2];
static struct point *into;

#include "tests/updates/unions_verify.h"

PAIR_MAIN(.verify = verify)
