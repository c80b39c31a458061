/* Statics of functions that the compiler removed. */
#ifndef INSTRUMENT_STATICS_H
#define INSTRUMENT_STATICS_H

#include "objects.h"
#include "units.h"

/** Adds to `objects`, refused, each static of a function that the source has and that lies nowhere
 * although the function's code is there: state that an update would lose. Compilers leave no trace
 * of it in DWARF. */
void statics_refuse_removed(struct objects *objects, const struct units *units);

#endif
