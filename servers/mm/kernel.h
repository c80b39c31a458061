/* What the bus does for the memory server: memory objects, and who may open them. Numbers are the
 * bus's. Tests have another implementation. */
#ifndef MM_KERNEL_H
#define MM_KERNEL_H

#include <stdint.h>

#include "libsys/msg.h"

/** Makes a segment of zeroes. @param id  receives its number. @return 0 or a negative errno */
int kernel_segment_make(uint64_t bytes, uint32_t *id);
/** Says what a component may do with it from now on: enum mem_right, 0: nothing.
 * @param incarnation  if not NULL receives the component's
 * @return 0, -ESRCH: it does not live or is no peer of the server's */
int kernel_segment_share(uint32_t id, endpoint_t with, uint32_t rights, uint32_t *incarnation);
void kernel_segment_drop(uint32_t id);
/** Ends a component, unless it has been started again.
 * @return 0, -ESRCH: that life is over, -EBUSY: it is held, or may not be ended now */
int kernel_end(endpoint_t holder, uint32_t incarnation);

#endif
