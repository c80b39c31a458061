/* Locals that live across the update point of a program that stands alone: stacks are not carried
 * over, so they would begin anew in the next version. */
#ifndef INSTRUMENT_LOCALS_H
#define INSTRUMENT_LOCALS_H

#include <clang-c/Index.h>

/** Warns of each local of a function that has a value before a call of st_update_point() and is
 * read after it, also in the next round of a loop. */
void locals_warn(CXCursor function);

#endif
