/* One program, a case at a time: what the new version (NEW defined) changes must be refused.
 * Without a case everything is the same, so each refusal is due to its case. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#ifdef NEW
#define PICK(old, new) new
#else
#define PICK(old, new) old
#endif

struct item {
#if defined(RENAMED_MEMBER) && defined(NEW)
#define count amount
#endif
#ifdef RETYPED
  PICK(int, long) count;
#else
  int count;
#endif
#ifdef PINNED
  PICK(, long added;)
#endif
#ifdef MEMBER_TYPE
  PICK(int, char *) value;
#else
  int value;
#endif
#if defined(MEMBER_GONE) && defined(NEW)
  long other;
#else
  int target;
#endif
  struct item *next;
#if defined(ODD_SIZE) || defined(UNTYPED)
  PICK(, long grown;)
#endif
};

enum mode {
  MODE_A,
#if !defined(ENUMERATOR_GONE) || !defined(NEW)
  MODE_B,
#endif
  MODE_C,
};

union value {
  long number;
  void *pointer;
#if defined(UNION_CHANGED) && defined(NEW)
  char text[16];
#endif
};

#ifdef RENAMED_VARIABLE
int PICK(level, height);
#endif
#ifdef NARROWED
PICK(int, uint8_t) narrow;
#endif
#ifdef TO_BOOL
PICK(char, _Bool) narrow;
#endif
#ifdef SIGN
PICK(signed char, unsigned char) narrow;
#endif
#ifdef BITS
struct {
  unsigned bits : PICK(8, 4);
} bits;
#endif
#ifdef SHRUNK
int table[PICK(8, 4)];
#endif
#ifdef STRUCT_ARRAY_SHRUNK
struct item items[PICK(8, 4)];
#endif
#ifdef END_OR_START
struct row {
  int first;
  int rest[2];
  PICK(, int added;)
} rows[2];
#endif
#ifdef FIRST_GONE
struct both {
  PICK(int first;, )
  long second;
} both = {.second = 2};
#endif
enum mode mode;
union value value = {.number = 1};
struct item *list;
int *into;
void *pointer;
void (*function)(void);
void *raw;

#if !defined(FUNCTION_GONE) || !defined(NEW)
static void called(void) {
  pair_check(1, "", "", 0);
}
#endif

#if !defined(VARIABLE_GONE) || !defined(NEW)
int target = 5;
#endif

#if defined(LANDS_NOWHERE) && defined(NEW)
void *wild;
__attribute__((constructor)) static void set_wild(void) {
  wild = (void *)0x123456789000;
}
#endif

#ifndef NEW
static void build_case(void) {
#ifdef NARROWED
  narrow = 300;
#endif
#ifdef TO_BOOL
  narrow = 2;
#endif
#ifdef SIGN
  narrow = -1;
#endif
#ifdef BITS
  bits.bits = 200;
#endif
#ifdef SHRUNK
  table[6] = 1;
#endif
#ifdef STRUCT_ARRAY_SHRUNK
  items[5].count = 1;
#endif
#ifdef ENUMERATOR_GONE
  mode = MODE_B;
#endif
#ifdef VARIABLE_GONE
  pointer = &target;
#endif
#ifdef FUNCTION_GONE
  function = called;
#endif
#ifdef MEMBER_GONE
  into = &list->target;
#endif
#ifdef RETYPED
  into = &list->count;
#endif
#ifdef END_OR_START
  into = &rows[1].first;
#endif
#ifdef FIRST_GONE
  into = &both.first;
#endif
#ifdef STACK
  int on_stack = 0;
  pointer = (void *)((uintptr_t)&on_stack | 1);
#endif
#ifdef LIBC_HEAP
  pointer = realpath("/", NULL);
#endif
#ifdef PINNED
  raw = malloc((size_t)mode + 64);
  ((void **)raw)[1] = list->next;
#endif
#ifdef UNTYPED
  raw = calloc(1, (size_t)mode + 64);
  free(list->next);
  list->next = raw;
  raw = NULL;
#endif
#ifdef ODD_SIZE
  list->next = realloc(list->next, sizeof(struct item) + 3);
#endif
}

static void build(void) {
  list = calloc(1, sizeof(*list));
  list->next = calloc(1, sizeof(*list));
  list->count = 1;
  build_case();
}
#define BUILD .build = build,
#else
#define BUILD
#endif

static void verify(void) {
  CHECK(list && list->next && !list->next->next && value.number == 1);
#if !defined(FUNCTION_GONE) || !defined(NEW)
  CHECK(!function || function == called);
#endif
#if !defined(VARIABLE_GONE) || !defined(NEW)
  CHECK(target == 5);
#endif
#ifndef NEW
  CHECK(list->count == 1);
#endif
  CHECK(mode != MODE_C && (into || !pointer || !into) && (!raw || raw));
}

PAIR_MAIN(BUILD.verify = verify)
