#ifndef LIBST_HEAP_H
#define LIBST_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/** Do the program's allocations reach libst? They do not when libc comes first in the link order.
 */
bool heap_is_first(void);
/** While true, blocks that are freed stay until it is false again: a transfer has yet to fill them,
 * or reads them. */
void heap_defer(bool defer);
/** Ends the program with a message when `p`, which code at `caller` frees, is a variable or on the
 * stack. What is left is the C library's to judge. */
void heap_check_foreign(const void *p, uintptr_t caller);

#endif
