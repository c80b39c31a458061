/* How the program itself would name a heap block: `conns[3]->peer`. Slow; for messages only. */
#ifndef LIBST_PATH_H
#define LIBST_PATH_H

#include "libst/transfer.h"

/** Finds the shortest chain of pointers from a variable to the block, in the old version's state.
 * @return `out`: an expression for the pointer to it, or "" when only conservative words lead there
 */
const char *path_to_block(struct transfer *t, const struct block *block, char *out, size_t cap);

#endif
