/* Interface filters: which messages may still reach a component while it converges, as postfix
 * steps over one message (struct bus_step). */
#ifndef PROTEOS_INTERFACE_FILTER_H
#define PROTEOS_INTERFACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/abi.h"

struct interface {
  uint32_t count; /* of steps; 0: there is none */
  struct bus_step steps[BUS_STEPS_MAX];
};

/** Takes steps that come from outside.
 * @param bytes  of `steps`; 0: no filter
 * @return 0, or -EINVAL: they are no expression */
int interface_set(struct interface *i, const void *steps, uint32_t bytes);

/** Whether a message passes. There must be a filter. */
bool interface_passes(const struct interface *i, const msg_t *m);

#endif
