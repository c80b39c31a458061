/* Positions in the source that an address answers to, through inlined calls. */
#ifndef INSTRUMENT_FRAMES_H
#define INSTRUMENT_FRAMES_H

#include "array.h"

#include <elfutils/libdw.h>
#include <stdint.h>

/** A function, and where in it control is. */
struct frame {
  Dwarf_Die function; /* its origin */
  Dwarf_Die unit;     /* that names files */
  char *file;         /* absolute; "" when there is none */
  unsigned line, column;
};

struct frames {
  ARRAY(struct frame) items; /* innermost first */
};

/** The frames at `address` in an instance of a function. */
struct frames frames_at(Dwarf_Die *function, uint64_t address);
void frames_clear(struct frames *frames);

/** Calls `visit` with the origin of each function that is in the instance: itself, and what is
 * inlined in it. */
void frames_each_function(Dwarf_Die *function, void (*visit)(Dwarf_Die *origin, void *data),
                          void *data);

#endif
