/* Everything that pointers of all kinds point to lies elsewhere or looks different. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/updates/pair.h"

struct part {
  long before;
  int b, c, a;
};

struct whole {
  struct part parts[4];
  char name[16];
  struct part first;
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
static const int *prime;
static const int primes[] = {2, 3, 5, 7, 11};

static void *untyped;
static struct tagged tagged[3];
static int fact = 1234;
static char *dangling;
static FILE *out;
static int (*compare)(const char *, const char *);
static struct part *heap_array, *heap_end;

static void handler(void) {}

static void verify(void) {
  CHECK(as_whole == &whole && as_part == &whole.first && as_int == &whole.first.a);
  CHECK(part_2 == &whole.parts[2] && part_2->a == 22);
  CHECK(b_of_part_3 == &whole.parts[3].b && *b_of_part_3 == 33);
  CHECK(end_of_parts == whole.parts + 4 && letter == &whole.name[2] && *letter == 'o');
  CHECK(strlen(old_only) == 25 && strcmp(old_only + 12, "first version") == 0);
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
}

PAIR_MAIN(.verify = verify)
