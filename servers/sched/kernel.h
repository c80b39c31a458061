/* What the bus does for the scheduler (bus/abi.h). Tests have another implementation. All but the
 * list are about one life of a component, and do nothing when it is over. */
#ifndef SCHED_KERNEL_H
#define SCHED_KERNEL_H

#include <stdint.h>

#include "bus/abi.h"

/** What runs. @param list  receives at most `max`. @return how many, or a negative errno */
int kernel_tasks(struct kern_task *list, unsigned max);
/** @return 0 or a negative errno, as all the following */
int kernel_set_priority(endpoint_t e, uint32_t incarnation, uint32_t priority);
/** Stops it for so long at most; 0: it goes on. */
int kernel_preempt(endpoint_t e, uint32_t incarnation, uint32_t ms);
/** @param cpus  one bit a CPU; 0: as the manifest says */
int kernel_place(endpoint_t e, uint32_t incarnation, uint64_t cpus);

#endif
