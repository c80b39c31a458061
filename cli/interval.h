/* The time between two looks: -d SECONDS of prctl top and prctl sched. */
#ifndef CLI_INTERVAL_H
#define CLI_INTERVAL_H

#include <stdbool.h>

/** Takes -d SECONDS out of argv, if it is there.
 * @param seconds  receives it
 * @return false: it is no such time */
bool interval_option(int *argc, char **argv, double *seconds);

/** Seconds, monotonic. */
double interval_now(void);
/** Sleeps until a time, or until a signal comes. */
void interval_sleep_until(double at);

#endif
