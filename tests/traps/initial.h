/* Both versions: what each variable begins with in the one and in the other. */
#ifndef TESTS_TRAPS_INITIAL_H
#define TESTS_TRAPS_INITIAL_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#ifdef NEW
#define BEGINS(old, new) new
#else
#define BEGINS(old, new) old
#endif

int one = 1, two = 2;
int untouched = BEGINS(1, 2);
int touched = BEGINS(1, 3);
int touched_same = 5;
int touched_back = BEGINS(6, 7);
int gained BEGINS(, = 8);
#ifdef NEW
int lost, touched_lost;
#else
int lost = 4, touched_lost = 4;
#endif
const char *text = BEGINS("old", "new");
const char *same_text = "same";
const char *touched_text = BEGINS("old", "new");
int *target = BEGINS(&one, &two);
int *same_target = &one;
int *touched_target = BEGINS(&one, &two);
struct {
  int a, b;
} half_touched = {BEGINS(1, 10), BEGINS(2, 20)};
struct entry {
  const char *name;
  int value;
} entries[] = {{BEGINS("x", "y"), 1}, {"z", BEGINS(2, 3)}};

/* In a section of its own, and with the address of a function of a library. */
__attribute__((section("own_section"))) int placed = BEGINS(1, 2);
__attribute__((section("own_section"))) int placed_touched = BEGINS(1, 2);
int (*in_library)(int) = BEGINS(abs, toupper);
int (*touched_in_library)(int) = BEGINS(abs, toupper);

static int *counter(void) {
  static int count = BEGINS(100, 200);
  return &count;
}

#endif
