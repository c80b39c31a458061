/* What a component that converges waits for, so that a deadlock of filters can be told from a
 * component that only takes its time. */
#ifndef PROTEOS_WAITS_H
#define PROTEOS_WAITS_H

#include <stdint.h>

struct endpoint;

/** Describes it: struct kern_waits, followed by its struct kern_wait.
 * @param bytes  receives the length
 * @return static storage, valid until the next call */
const void *waits_of(const struct endpoint *e, uint32_t *bytes);

#endif
