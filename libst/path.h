/* How the program itself would name a heap block: `conns[3]->peer`. Slow; for messages only. */
#ifndef LIBST_PATH_H
#define LIBST_PATH_H

#include "libst/transfer.h"

/** Finds the shortest chain of pointers from a variable to the block, in the old version's state.
 * Of a long chain only the start is printed: `list->next->(48 more)`.
 * @return `out`: an expression for the pointer to it, or "" when only conservative words lead there
 */
const char *path_to_block(struct transfer *t, const struct block *block, char *out, size_t cap);
/** The same in this version's state, when it is complete. @param meta  what its types are */
const char *path_to_own_block(const struct st_meta *meta, const struct block *block, char *out,
                              size_t cap);

#endif
