/* Corners of C, several in each object: what one change alone would not show. */
#include <stdatomic.h>
#include <stdbool.h>
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
#define ADDED(...) PICK(, __VA_ARGS__)

/* Numbers that are wide, or that other threads would read. */
typedef float quad __attribute__((vector_size(16)));

static struct numbers {
  ADDED(short lead;)
  __int128 huge;
  PICK(_Atomic int, _Atomic long) counted;
  quad lanes;
  PICK(float, double) _Complex wave;
  ADDED(char between;)
  long double precise;
  atomic_flag flag;
} numbers;
static quad *many_lanes;
ADDED(long moves_what_follows[100];)
static int pointed_to;
static _Atomic(int *) published;

/* Bit-fields wider than a word holds in a row, and pointers at odd addresses. */
struct __attribute__((packed)) record {
  PICK(char tag; unsigned long a : 61; unsigned long b : 63; short end;, short end;
       unsigned long b : 63; char tag; char more; unsigned long a : 61;)
  struct record *next;
  int value;
};
static struct record *records, first_record;
static int *record_value;

enum sign { PICK(MINUS = -1, MINUS = -3), PLUS = 1 };
static struct signs {
  enum sign s : PICK(3, 4);
  ADDED(unsigned more : 9;)
  _Bool yes : 1;
  signed char c;
} signs;

/* Chains through members that move: the address of the last `next`, objects that know each other.
 */
struct node {
  ADDED(long pad;)
  PICK(struct node *next; int value;, int value; struct node * next;)
};
ADDED(static struct node **spare;)
static struct node *nodes, **last = &nodes;

struct knot {
  PICK(struct knot *self; struct knot * *back; int *number; int value;, int value; long added;
       int *number; struct knot * *back; struct knot * self;)
};
static struct knot tied, *loose;

/* Arrays of arrays within objects, their rows, cells and ends. */
struct cell {
  ADDED(int before;)
  short value;
};
struct board {
  struct cell *shown[2][3];
  ADDED(int moves;)
  struct cell grid[3][2];
};
static struct board *boards;
static struct cell *row, *cell, *cells_end, (*rows)[3], (*whole_row)[2];

/* Tails: of numbers that grow, and of structs that change. */
struct series {
  int count;
  PICK(short, long) values[];
};
static struct series *series;
struct entry {
  PICK(int id; char name[8];, char name[16]; int id;)
};
struct table {
  PICK(int, long) count;
  struct entry entries[];
};
static struct table *table;
static char *in_name;

/* Blocks: of nothing, counted the other way round, of a length that is known late, of what was
 * another type before. */
struct couple {
  int x;
  ADDED(int y;)
  int z;
};
struct other {
  long a;
  ADDED(long b;)
  int c, d;
};
static struct couple *none, *swapped, *late;
static void *became;

/* Members of members without names, and what is live in a union without a name. */
static struct outer {
  PICK(int kept;, )
  struct {
    PICK(, int c;)
    union {
      struct {
        int a, b;
      };
      long both;
    };
    PICK(int c;, )
  };
  PICK(, long kept;)
} outer;

enum kind { PICK(NUMBER, TEXT = 3), PICK(TEXT, LEAF = 9), PICK(LEAF, NUMBER = 1) };
struct value {
  PICK(enum kind kind;, )
  union {
    PICK(long number; struct cell * leaf; char text[8];, char text[12]; struct cell * leaf;
         long number;)
  };
  PICK(, enum kind kind;)
};
ST_FIELD(struct value, number, live_by(kind, NUMBER = number, TEXT = text, LEAF = leaf));
static struct value values[3];
static char *in_text;

/* Symbols of other kinds. */
__attribute__((weak)) int weak_one = 3;
int in_section __attribute__((section("corners"))) = 5;
static int implementation(void) {
  return 11;
}
int alias_of_it(void) __attribute__((alias("implementation")));
static int (*called)(void);

static void build_numbers(void) {
  numbers.huge = -((__int128)7 << 100);
  numbers.counted = -4;
  numbers.lanes = (quad){1, 2, 3, 4};
  numbers.wave = 1.5f + 2.5if;
  numbers.precise = 1e4000L;
  atomic_flag_test_and_set(&numbers.flag);
  many_lanes = aligned_alloc(16, 4 * sizeof(*many_lanes));
  many_lanes[3] = numbers.lanes;
  published = &pointed_to;
  first_record.next = records = calloc(1, sizeof(*records));
  records->a = 0x1234567890abcdef;
  records->b = 0x7edcba0987654321;
  records->next = &first_record;
  records->end = -4;
  records->value = 9;
  record_value = &records->value;
  signs = (struct signs){.s = MINUS, .yes = true, .c = -3};
}

static void build_pointers(void) {
  for (int i = 0; i < 5; i++) {
    *last = calloc(1, sizeof(**last));
    (*last)->value = i;
    last = &(*last)->next;
  }
  loose = calloc(1, sizeof(*loose));
  tied.self = loose;
  tied.back = &loose->self;
  tied.number = &loose->value;
  loose->self = loose;
  loose->back = &tied.self;
  loose->number = &tied.value;
  loose->value = 1;
  tied.value = 2;
  boards = calloc(2, sizeof(*boards));
  boards[1].grid[1][0].value = 10;
  boards[1].grid[2][1].value = 21;
  row = boards[1].grid[1];
  cell = boards[1].shown[1][2] = &boards[1].grid[2][1];
  cells_end = &boards[1].grid[2][2];
  whole_row = &boards[1].grid[2];
  rows = calloc(2, sizeof(*rows));
  rows[1][2].value = 12;
}

static void build_blocks(void) {
  int length = 4;
  series = calloc(1, sizeof(*series) + 5 * sizeof(series->values[0]));
  series->values[4] = -4;
  table = calloc(1, sizeof(*table) + 4 * sizeof(struct entry));
  table->entries[3].id = 3;
  strcpy(table->entries[3].name, "third");
  in_name = &table->entries[3].name[2];
  none = malloc(0 * sizeof(*none));
  swapped = calloc(sizeof(struct couple), 5);
  swapped = realloc(swapped, 9 * sizeof(*swapped));
  memset(swapped + 5, 0, 4 * sizeof(*swapped));
  swapped[8].z = 88;
  late = malloc(sizeof(struct couple[2][length]));
  memset(late, 0, sizeof(struct couple[2][length]));
  late[7].x = 77;
  became = malloc(sizeof(struct couple));
  became = realloc(became, sizeof(struct other));
  memset(became, 0, sizeof(struct other));
  ((struct other *)became)->d = 44;
}

static void build(void) {
  build_numbers();
  build_pointers();
  build_blocks();
  outer.a = 1, outer.b = 2, outer.c = 3, outer.kept = 4;
  values[0].kind = TEXT;
  strcpy(values[0].text, "text");
  in_text = values[0].text;
  values[1].kind = LEAF;
  values[1].leaf = &rows[1][2];
  values[2].kind = NUMBER;
  values[2].number = -5;
  weak_one = 30;
  in_section = 50;
  called = alias_of_it;
}

static void verify_numbers(void) {
  CHECK(numbers.huge == -((__int128)7 << 100) && numbers.counted == -4 && numbers.lanes[3] == 4);
  CHECK(__real__ numbers.wave == 1.5 && __imag__ numbers.wave == 2.5);
  CHECK(numbers.precise == 1e4000L && atomic_flag_test_and_set(&numbers.flag));
  CHECK(many_lanes[3][2] == 3 && (uintptr_t)many_lanes % 16 == 0 && published == &pointed_to);
  CHECK(records->a == 0x1234567890abcdef && records->b == 0x7edcba0987654321);
  CHECK(records->end == -4 && records->value == 9 && record_value == &records->value);
  CHECK(records->next == &first_record && first_record.next == records);
  CHECK(signs.s == MINUS && signs.yes && signs.c == -3);
}

static void verify_pointers(void) {
  int count = 0;
  struct node **at = &nodes;
  for (; *at; at = &(*at)->next)
    CHECK((*at)->value == count++);
  CHECK(count == 5 && at == last);
  CHECK(tied.self == loose && tied.back == &loose->self && tied.number == &loose->value);
  CHECK(loose->self == loose && loose->back == &tied.self && loose->number == &tied.value);
  CHECK(loose->value == 1 && tied.value == 2);
  CHECK(row == boards[1].grid[1] && row->value == 10 && cell == &boards[1].grid[2][1]);
  CHECK(cell->value == 21 && boards[1].shown[1][2] == cell);
  CHECK(cells_end == boards[1].grid[2] + 2 && whole_row == &boards[1].grid[2]);
  CHECK(rows[1][2].value == 12);
}

static void verify_blocks(void) {
  CHECK(series->values[4] == -4 && !series->values[3]);
  CHECK(table->entries[3].id == 3 && strcmp(table->entries[3].name, "third") == 0);
  CHECK(in_name == &table->entries[3].name[2]);
  CHECK(none && swapped[8].z == 88 && late[7].x == 77);
  CHECK(((struct other *)became)->d == 44 && !((struct other *)became)->c);
  none = realloc(none, sizeof(*none));
}

static void verify(void) {
  verify_numbers();
  verify_pointers();
  verify_blocks();
  CHECK(outer.a == 1 && outer.b == 2 && outer.c == 3 && outer.kept == 4);
  CHECK(values[0].kind == TEXT && strcmp(values[0].text, "text") == 0);
  CHECK(in_text == values[0].text && values[1].kind == LEAF && values[1].leaf == &rows[1][2]);
  CHECK(values[2].kind == NUMBER && values[2].number == -5);
  CHECK(weak_one == 30 && in_section == 50 && called() == 11);
}

PAIR_MAIN(.build = build, .verify = verify)
