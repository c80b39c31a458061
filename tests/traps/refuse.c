/* One program, a case at a time, in which debug information or an address has two readings, or
 * none: the update to NEW must be refused. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/updates/pair.h"

int number;
int *edge;

#if defined(END_OR_START) || defined(END_AND_START)
int table[4] = {1, 2, 3, 4};
#if defined(END_OR_START) && defined(NEW)
long apart = 1;
#endif
int neighbour = 5;
#endif

#ifdef THREAD_LOCAL
_Thread_local int per_thread = 3;
#endif

#ifdef ASSEMBLER
__asm__(".data\n.balign 8\nin_assembler: .quad 5\n.text");
#endif

#ifdef REMOVED
static int only_written;
#endif

#ifdef STREAM
FILE *stream;
#endif

static void build(void) {
  number = 7;
#if defined(END_OR_START) || defined(END_AND_START)
  edge = &table[4];
  CHECK((uintptr_t)edge == (uintptr_t)&neighbour);
#endif
#ifdef THREAD_LOCAL
  per_thread = 8;
#endif
#ifdef REMOVED
  only_written = number;
#endif
#ifdef STREAM
  stream = fopen("/proc/self/stat", "r");
  CHECK(stream != NULL);
#endif
}

static void verify(void) {
  CHECK(number == 7);
#if defined(END_OR_START) || defined(END_AND_START)
  CHECK(table[3] == 4 && neighbour == 5 && *edge == 5);
#endif
}

PAIR_MAIN(.build = build, .verify = verify)
