/* Blocks from all kinds of allocators, of types that grow in front. */
#include <obstack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#if VERSION == 1
#define ADDED(member)
#else
#define ADDED(member) member;
#endif

struct thing {
  ADDED(long serial)
  int number;
  struct thing *next;
};

struct line {
  ADDED(char marks[64])
  unsigned char bytes[64];
};

struct text {
  ADDED(int style)
  unsigned length;
  char bytes[];
};

struct row {
  unsigned count;
  ADDED(unsigned room)
  struct thing things[];
};

struct bare {
  ADDED(int added)
  int number;
  char bytes[];
};

struct holder {
  ADDED(long added)
  long count;
  struct {
    ADDED(int added)
    int number;
  } things[];
};

enum { THINGS = 50 };

static struct thing *from_wrapper, *from_chain, *vector, *zeroed, *array;
static size_t vector_count, vector_room;
static struct line *aligned, *aligned_too;
static struct text *text, *longer;
static struct row *row;
static struct thing *in_row;
static struct bare *bare;
static struct holder *holder;
static char **names;
static char *copied, *read_line, *read_word;
static size_t read_line_room, read_word_room;
static struct obstack strings, *pool;
static const char *kept[THINGS];

static void *xmalloc(size_t bytes) {
  void *p = malloc(bytes);
  if (!p) abort();
  return p;
}

static void *xcalloc(size_t count, size_t bytes) {
  void *p = xmalloc(count * bytes);
  memset(p, 0, count * bytes);
  return p;
}

static void *xrealloc(void *p, size_t bytes) {
  p = realloc(p, bytes);
  if (!p) abort();
  return p;
}

#define obstack_chunk_alloc xmalloc
#define obstack_chunk_free  free

static void push(int number) {
  if (vector_count == vector_room) {
    vector_room = vector_room ? vector_room * 2 : 2;
    vector = xrealloc(vector, vector_room * sizeof(*vector));
  }
  memset(&vector[vector_count], 0, sizeof(*vector));
  vector[vector_count++].number = number;
}

static struct text *new_text(const char *s) {
  struct text *t = malloc(sizeof(*t) + strlen(s) + 1);
  memset(t, 0, sizeof(*t));
  t->length = (unsigned)strlen(s);
  strcpy(t->bytes, s);
  return t;
}

/* The buffer is the library's to make and to resize, and yet it is state. */
static void read_lines(void) {
  char input[1000];
  memset(input, 'x', sizeof(input));
  memcpy(input, "one\n", 4);
  memcpy(input + 990, "\ntwo,three", 10);
  FILE *f = fmemopen(input, sizeof(input), "r");
  CHECK(getline(&read_line, &read_line_room, f) == 4 && !strcmp(read_line, "one\n"));
  CHECK(getline(&read_line, &read_line_room, f) == 987 && read_line_room >= 988);
  CHECK(getdelim(&read_word, &read_word_room, ',', f) == 4 && !strcmp(read_word, "two,"));
  CHECK(getline(&read_line, &read_line_room, f) == 5 && !strcmp(read_line, "three"));
  char *nothing = NULL;
  size_t room = 0;
  CHECK(getline(&nothing, &room, f) == -1 && feof(f));
  free(nothing);
  fclose(f);
}

static void build(void) {
  from_wrapper = xmalloc(sizeof(*from_wrapper));
  *from_wrapper = (struct thing){.number = 1, .next = from_wrapper};
  from_chain = xcalloc(3, sizeof(*from_chain));
  from_chain[2].number = 2;
  for (int i = 0; i < THINGS; i++)
    push(i);
  for (int i = 0; i < THINGS; i++)
    vector[i].next = &vector[(i + 1) % THINGS];
  zeroed = calloc(4, sizeof(*zeroed));
  array = reallocarray(NULL, 5, sizeof(*array));
  memset(array, 0, 5 * sizeof(*array));
  array[4].next = &array[1];
  CHECK(posix_memalign((void **)&aligned, 256, 3 * sizeof(*aligned)) == 0);
  memset(aligned, 0, 3 * sizeof(*aligned));
  aligned[2].bytes[63] = 7;
  aligned_too = aligned_alloc(64, sizeof(*aligned_too));
  memset(aligned_too, 0, sizeof(*aligned_too));
  aligned_too->bytes[0] = 8;
  text = new_text("short");
  longer = new_text("this one is longer than any of the others");
  row = malloc(sizeof(*row) + 10 * sizeof(row->things[0]));
  memset(row, 0, sizeof(*row) + 10 * sizeof(row->things[0]));
  row->count = 10;
  row->things[9].number = 99;
  in_row = row->things[3].next = &row->things[9];
  bare = calloc(3, sizeof(*bare));
  for (int i = 0; i < 3; i++)
    bare[i].number = i;
  holder = calloc(1, sizeof(*holder) + 3 * sizeof(holder->things[0]));
  holder->count = 3;
  holder->things[2].number = 2;
  names = calloc(3, sizeof(*names));
  names[1] = copied = strdup("copied");
  CHECK(asprintf(&names[2], "printed %d", 5) > 0);
  read_lines();
  pool = &strings;
  obstack_init(pool);
  for (int i = 0; i < THINGS; i++) {
    char s[200];
    snprintf(s, sizeof(s), "%0150d", i);
    kept[i] = obstack_copy0(pool, s, strlen(s));
  }
}

static void verify_obstack(void) {
  for (int i = 0; i < THINGS; i++)
    CHECK(strlen(kept[i]) == 150 && atoi(kept[i]) == i);
  /* It can be used on. */
  char *more = obstack_alloc(pool, 5000);
  memset(more, 'x', 5000);
  obstack_free(pool, more);
}

static void verify(void) {
  CHECK(from_wrapper->number == 1 && from_wrapper->next == from_wrapper);
  CHECK(from_chain[2].number == 2 && !from_chain[1].next);
  for (int i = 0; i < THINGS; i++)
    CHECK(vector[i].number == i && vector[i].next == &vector[(i + 1) % THINGS]);
  CHECK(!zeroed[3].number && array[4].next == &array[1]);
  CHECK(aligned[2].bytes[63] == 7 && (uintptr_t)aligned % 256 == 0);
  CHECK(aligned_too->bytes[0] == 8 && (uintptr_t)aligned_too % 64 == 0);
  CHECK(!strcmp(text->bytes, "short") && text->length == 5);
  CHECK(!strcmp(longer->bytes, "this one is longer than any of the others"));
  CHECK(row->count == 10 && row->things[9].number == 99 && in_row == &row->things[9]);
  CHECK(row->things[3].next == in_row);
  CHECK(bare[1].number == 1 && bare[2].number == 2);
  CHECK(holder->count == 3 && holder->things[2].number == 2);
  CHECK(!strcmp(names[1], "copied") && names[1] == copied && !strcmp(names[2], "printed 5"));
  CHECK(!strcmp(read_line, "three") && read_line_room >= 988 && !strcmp(read_word, "two,"));
  verify_obstack();
  push(THINGS);
  vector_count--;
}

PAIR_MAIN(.build = build, .verify = verify)
