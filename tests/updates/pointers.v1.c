/* Pointers of all kinds, typed and not. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

struct part {
  int a, b;
};

struct whole {
  struct part first;
  struct part parts[4];
  char name[8];
};

union either {
  long number;
  const char *text;
  int *pointer;
};

struct tagged {
  int kind;
  union either u;
};

static struct whole whole;
static struct whole *as_whole;
static struct part *as_part;
static int *as_int;
static struct part *part_2;
static int *b_of_part_3;
static struct part *end_of_parts;
static char *letter;

static const char *old_only;
static const char *in_both;
static const char *inside_text;
static const char *names[3];
static const int primes[] = {2, 3, 5, 7};
static const int *prime;

static void *untyped;
static struct tagged tagged[3];
static int fact = 1234;
static char *dangling;
static FILE *out;
static int (*compare)(const char *, const char *);
static struct part *heap_array, *heap_end;

static void handler(void) {}

static void *give_untyped(size_t bytes) {
  void *p = calloc(1, bytes);
  CHECK(p);
  return p;
}

static void build(void) {
  as_whole = &whole;
  as_part = &whole.first;
  as_int = &whole.first.a;
  part_2 = &whole.parts[2];
  b_of_part_3 = &whole.parts[3].b;
  end_of_parts = whole.parts + 4;
  strcpy(whole.name, "whole");
  letter = &whole.name[2];
  whole.parts[2].a = 22;
  whole.parts[3].b = 33;
  old_only = "only in the first version";
  in_both = "in both versions";
  inside_text = &"in both versions"[3];
  names[0] = "zero";
  names[2] = in_both;
  prime = &primes[2];
  untyped = give_untyped(256);
  uintptr_t *words = untyped;
  words[0] = (uintptr_t)&fact;
  words[1] = (uintptr_t)handler;
  words[2] = (uintptr_t)words;
  words[3] = (uintptr_t)in_both;
  words[4] = 0x1234567;
  words[5] = (uintptr_t)&whole;
  tagged[0] = (struct tagged){0, {.number = 99}};
  tagged[1] = (struct tagged){1, {.text = in_both}};
  tagged[2] = (struct tagged){2, {.pointer = &fact}};
  dangling = malloc(100);
  free(dangling);
  out = stdout;
  compare = strcmp;
  heap_array = calloc(5, sizeof(*heap_array));
  heap_end = heap_array + 5;
}

static void verify(void) {
  CHECK(as_whole == &whole && as_part == &whole.first && as_int == &whole.first.a);
  CHECK(part_2 == &whole.parts[2] && part_2->a == 22);
  CHECK(b_of_part_3 == &whole.parts[3].b && *b_of_part_3 == 33);
  CHECK(end_of_parts == whole.parts + 4 && letter == &whole.name[2] && *letter == 'o');
  CHECK(strcmp(old_only, "only in the first version") == 0);
  CHECK(strcmp(in_both, "in both versions") == 0 && strcmp(inside_text, "both versions") == 0);
  CHECK(strcmp(names[0], "zero") == 0 && !names[1] && strcmp(names[2], in_both) == 0);
  CHECK(prime == &primes[2] && *prime == 5);
  uintptr_t *words = untyped;
  CHECK(words[0] == (uintptr_t)&fact && words[1] == (uintptr_t)handler);
  CHECK(words[2] == (uintptr_t)words && strcmp((char *)words[3], in_both) == 0);
  CHECK(words[4] == 0x1234567 && words[5] == (uintptr_t)&whole);
  CHECK(tagged[0].u.number == 99 && strcmp(tagged[1].u.text, in_both) == 0);
  CHECK(tagged[2].u.pointer == &fact && fact == 1234 && tagged[2].kind == 2);
  CHECK((uintptr_t)dangling >> 32 == 0x2b59);
  CHECK(out == stdout && compare == strcmp);
  CHECK(heap_end == heap_array + 5);
  old_only = "only in the first version";
}

PAIR_MAIN(.build = build, .verify = verify)
