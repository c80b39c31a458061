/* Unions whose live member is told by a discriminator, as variables, members and in heap arrays.
 * Updates go both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"
#include "tests/updates/unions.h"

enum kind { KIND_NONE, KIND_NUMBER, KIND_TEXT, KIND_POINT, KIND_LIST };

struct point {
  int x, y;
};

union payload {
  int number;
  char *text;
  struct point point;
  struct value *list;
};

struct value {
  enum kind kind;
  union payload u;
};

struct packet {
  unsigned length : 12;
  unsigned shape : 3;
  union {
    struct point at;
    struct value *by;
  };
};

union event {
  int type;
  struct {
    int type;
    struct point *where;
  } moved;
  struct {
    int type;
    char key;
  } pressed;
};
#define EVENT_MOVED 1

struct nest {
  enum kind kind;
  struct {
    int pad;
    union {
      long number;
      char *text;
    };
  };
};

#include "tests/updates/unions_annotations.h"

static struct value single;
static struct value *values;
static struct packet packets[3];
static union event events[3];
static struct nest nests[2];
static struct point *into;

static void build(void) {
  values = calloc(VALUES, sizeof(*values));
  for (int i = 0; i < VALUES; i++) {
    struct value *v = &values[i];
    v->kind = (enum kind)(i % 5);
    if (v->kind == KIND_NUMBER) v->u.number = i;
    if (v->kind == KIND_TEXT) v->u.text = strdup("text");
    if (v->kind == KIND_POINT) v->u.point = (struct point){i, -i};
    if (v->kind == KIND_LIST) v->u.list = &values[i - 1];
  }
  values[0].u.list = (void *)0x123456789000; /* of a kind that has nothing */
  nests[0] = (struct nest){.kind = KIND_NUMBER, .pad = 1, .number = -5};
  nests[1] = (struct nest){.kind = KIND_TEXT, .pad = 2, .text = values[2].u.text};
  single = (struct value){KIND_LIST, {.list = values}};
  packets[0] = (struct packet){.length = 100, .shape = 0, .at = {3, 4}};
  packets[1] = (struct packet){.length = 101, .shape = 5, .by = &values[1]};
  packets[2] = (struct packet){.length = 102, .shape = 1, .at = {5, 6}};
  events[0].moved.type = EVENT_MOVED;
  events[0].moved.where = into = calloc(1, sizeof(*into));
  into->y = 12;
  events[1].pressed.type = 'k';
  events[1].pressed.key = 'K';
}

#include "tests/updates/unions_verify.h"

PAIR_MAIN(.build = build, .verify = verify)
