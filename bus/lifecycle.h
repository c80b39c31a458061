/* The life of components: start, readiness, death, restart. */
#ifndef PROTEOS_LIFECYCLE_H
#define PROTEOS_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"

/** Starts a component that is down or dead. @return 0 or a negative errno */
int lifecycle_start(struct endpoint *e, enum sys_start start);

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
/** Starts again what is due, ends what does not get ready. @return when to look again */
uint64_t lifecycle_expire(struct endpoint *e, uint64_t now_us);

/** "was killed by signal 11 (Segmentation fault)", "exited with status 1" */
void lifecycle_describe_end(int wait_status, char *text, size_t cap);

#endif
