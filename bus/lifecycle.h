/* The life of components: start, readiness, death, restart. */
#ifndef PROTEOS_LIFECYCLE_H
#define PROTEOS_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"

/** Starts a component that is down, for the first time or again under a later manifest. */
void lifecycle_begin(struct endpoint *e);
/** Starts a component again that is dead or stopped, or the one that goes on with the state of one
 * that died. When that fails it is dead, which is logged, and tried again if its manifest says so.
 */
void lifecycle_restart(struct endpoint *e);
/** Ends a component that runs or starts; it is STOPPED once its process is gone. To its callers and
 * peers it is gone at once. A component that has died is not restarted any more; one that was about
 * to go on with its state has lost it. */
void lifecycle_stop(struct endpoint *e);

/** Starts a program in a place that is free. @param exe  taken over @return 0 or a negative errno
 */
int lifecycle_start_program(struct endpoint *e, int exe);
/** Forgets a program that has gone, and tells its peers. */
void lifecycle_gone(struct endpoint *e);

/** The loader's answer: its process was forked, or could not be. */
void lifecycle_spawned(struct version *v, int error);
/** A live version that was started for a recovery refuses the state.
 * @param text  why, for people; may be NULL */
void lifecycle_not_recovered(const struct version *v, int error, const char *text);
/** Whether it is not started again any more. */
bool lifecycle_given_up(const struct endpoint *e);
/** Its live version is in receive for the first time. */
void lifecycle_ready(struct endpoint *e);
/** A process has ended: its version is freed here.
 * @param never_ran  why it did not get to run its executable; "": it did */
void lifecycle_exited(struct version *v, int wait_status, const char *never_ran);
/** Starts again what is due, ends what does not get ready or does not stop.
 * @return when to look again */
uint64_t lifecycle_expire(struct endpoint *e, uint64_t now_us);

/** Moves all of that by as long as the clocks stood still (bus/debug.h). */
void lifecycle_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us);

/** "was killed by signal 11 (Segmentation fault)", "exited with status 1" */
void lifecycle_describe_end(int wait_status, char *text, size_t cap);

#endif
