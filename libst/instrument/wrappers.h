/* The program's allocator wrappers. */
#ifndef INSTRUMENT_WRAPPERS_H
#define INSTRUMENT_WRAPPERS_H

#include "allocators.h"
#include "objects.h"
#include "units.h"

/** Finds the functions that return what an allocator returned, whole chains of them, adds them to
 * `allocators` and marks them in `objects`. */
void wrappers_find(struct allocators *allocators, struct objects *objects,
                   const struct units *units);

/** The allocator that a function is (its origin's DIE), or NULL. */
const struct allocator *wrappers_by_die(const struct allocators *allocators,
                                        const struct units *units, Dwarf_Die *origin);

#endif
