/* Scheduling: the mechanism below the scheduler, a component with `kernel: [schedule]`, which has
 * the policy. Whatever it has set ends with its process, so that nothing stays stopped or misplaced
 * because it died; and who is preempted goes on by itself after a second. */
#ifndef PROTEOS_SCHEDULE_H
#define PROTEOS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/abi.h"

struct endpoint;

/* Of an endpoint; all 0 without a scheduler. */
struct schedule {
  uint32_t raised;   /* its priority, less the default's if above ... */
  uint32_t lowered;  /* ... or below */
  uint64_t cpus;     /* where it runs, one bit a CPU; 0: as the manifest says */
  uint64_t until_us; /* preempted until then at the latest; 0: it is not */
};

/** Its priority in the order of delivery, 0 to BUS_PRIORITY_MAX. */
uint32_t schedule_priority(const struct endpoint *e);
/** The CPUs for its versions. */
uint64_t schedule_cpus(const struct endpoint *e);
/** Whether it gives way to others on its CPU (bus/background.h): its priority is below the default.
 */
bool schedule_gives_way(const struct endpoint *e);

/** Lists the components that run. @return struct kern_task, valid until the next call
 * @param bytes  receives their length */
const void *schedule_list(uint32_t *bytes);

/* Each is about one life of a component: @return 0, -ESRCH: it is over, or another negative errno.
 */

/** @return -EINVAL: it is above BUS_PRIORITY_MAX */
int schedule_set_priority(endpoint_t id, uint32_t incarnation, uint32_t priority);
/** Stops it. @param ms  for so long, at most BUS_PREEMPT_MS_MAX; 0: it goes on
 * @return -EBUSY: it is being updated, started or ended; -EPERM: it has kernel rights */
int schedule_preempt(endpoint_t id, uint32_t incarnation, uint32_t ms);
/** Moves it. @param cpus  0: where the manifest puts it. @return -EINVAL: none that there are */
int schedule_place(endpoint_t id, uint32_t incarnation, uint64_t cpus);

/** It must not be stopped now: an update of it begins, or its end. */
void schedule_yield(struct endpoint *e);
/** Its life is over. */
void schedule_forget(struct endpoint *e);
/** Its process has ended. If that was the scheduler, all is as if there were none. */
void schedule_exited(const struct endpoint *e);
/** Lets it go on if its time is over. @return when to look again, or UINT64_MAX */
uint64_t schedule_expire(struct endpoint *e, uint64_t now_us);

#endif
