/* Calls in the machine code (x86-64). */
#ifndef INSTRUMENT_CALLS_H
#define INSTRUMENT_CALLS_H

#include "array.h"
#include "exe.h"

#include <stdbool.h>
#include <stdint.h>

struct call {
  uint64_t address; /* of the instruction */
  uint64_t returns; /* to; the address after it */
  const char *callee;
  bool jump; /* a jump, which leaves no return address of its own */
};

struct calls {
  ARRAY(struct call) items; /* by address */
};

/** What calls are looked for. */
struct callee {
  const char *name;
  uint64_t address; /* of a function of the program; 0: imported */
};

/** Finds the calls of, and jumps to, some functions: direct, through the procedure linkage table,
 * or through the global offset table. */
struct calls *calls_find(const struct exe *exe, const struct callee *callees, size_t count);
void calls_free(struct calls *calls);

#endif
