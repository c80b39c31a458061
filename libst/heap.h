#ifndef LIBST_HEAP_H
#define LIBST_HEAP_H

#include <stdbool.h>

/** Do the program's allocations reach libst? They do not when libc comes first in the link order.
 */
bool heap_is_first(void);

#endif
