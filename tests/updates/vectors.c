/* Blocks of numbers and pointers, which have no type with a name; and what lies beside them in
 * programs: texts, unions, integers that are no addresses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

#if VERSION == 1
#define PICK(old, new) old
#else
#define PICK(old, new) new
#endif

enum { COUNT = 100 };

/* Their elements change, and the calls that make them. */
static PICK(int, long) * widened;
static PICK(float, double) * precise;
static PICK(uint8_t, unsigned) * *rows;
static PICK(long, short) * narrowed;

static void make_vectors(void) {
  widened = malloc(COUNT * sizeof(*widened));
  precise = calloc(COUNT, sizeof(*precise));
}

static void make_narrowed(void) {
  narrowed = malloc(COUNT * sizeof(*narrowed));
}

static void make_rows(void) {
  rows = malloc(3 * sizeof(*rows));
  for (int i = 0; i < 3; i++)
    rows[i] = calloc(COUNT, sizeof(*rows[i]));
}

/* Rows of a fixed length, allocated as an array of elements. */
struct item {
  PICK(, long added;)
  int id;
  struct item *next;
};
static struct item (*grid)[4], *in_grid;

/* One object whose size is a variable. */
struct base {
  PICK(, char label[20];)
  int kind;
};
static struct base *made;
static size_t size = sizeof(struct base);

/* A cursor in a text, another one that ends alike, and the text's end. */
static const char *text, *cursor, *end, *other;

struct packed {
  char c;
  union {
    void *p;
    long n;
  } u;
} __attribute__((packed));
static struct packed packed;

enum sign { PLUS = PICK(5, -1), NONE = 1 };
static struct { enum sign sign : 4; } bits;

/* It looks like an address and is none; and it may be one. */
static unsigned long number = 0x2b5afffffff0ul;
static unsigned long cookie;
ST_VAR(cookie, not_pointer);

/* Anything, which is a struct item now. */
static PICK(void, struct item) * any;

static void build(void) {
  make_vectors();
  make_narrowed();
  make_rows();
  for (int i = 0; i < COUNT; i++) {
    widened[i] = -i;
    precise[i] = (float)i / 4;
    narrowed[i] = 300 - i;
    rows[2][i] = (uint8_t)(200 + i % 50);
  }
  grid = calloc(3 * 4, sizeof(**grid));
  grid[2][3].id = 23;
  grid[1][0].next = in_grid = &grid[2][3];
  made = calloc(1, size);
  made->kind = 4;
  text = "alpha gamma delta" PICK("", " ");
  cursor = text + 6;
  end = text + strlen(text);
  other = "not gamma delta" PICK("", " ");
  packed.u.p = &packed;
  bits.sign = PLUS;
  cookie = (unsigned long)in_grid;
  any = in_grid;
}

static void verify(void) {
  for (int i = 0; i < COUNT; i++) {
    CHECK(widened[i] == -i);
    CHECK(precise[i] == (float)i / 4);
    CHECK(narrowed[i] == 300 - i);
    CHECK(rows[2][i] == (unsigned)(200 + i % 50) && rows[0][i] == 0);
  }
  CHECK(in_grid == &grid[2][3] && in_grid->id == 23 && grid[1][0].next == in_grid);
  CHECK(made->kind == 4);
  CHECK(strncmp(text, "alpha gamma delta", 17) == 0 && cursor == text + 6);
  CHECK(end == text + strlen(text) && other != text && strncmp(other, "not", 3) == 0);
  CHECK(packed.u.p == &packed);
  CHECK(bits.sign == PLUS);
  CHECK(number == 0x2b5afffffff0ul);
  static unsigned long was;
  if (!was) was = cookie;
  CHECK(cookie == was && cookie != 0);
  CHECK((void *)any == (void *)in_grid);
}

PAIR_MAIN(.build = build, .verify = verify)
