#ifndef LIBST_REAL_H
#define LIBST_REAL_H

#include "libst/transfer.h"

/** Converts a number of which the old or the new form is floating point (OP_REAL): exactly, or it
 * is a violation. */
void real_run(struct transfer *t, const struct op *op, const unsigned char *old, unsigned char *new,
              const struct place *place);

#endif
