/* A new version of busd tries itself, on a small bus of its own, before it takes any state. */
#ifndef PROTEOS_SELFTEST_H
#define PROTEOS_SELFTEST_H

#include <stddef.h>

/** A sendrec, a call, a notification and an alarm between two components that it plays itself, over
 * private socketpairs. Leaves nothing behind. It hangs when the bus does: whoever waits has a
 * deadline.
 * @param why  receives what went wrong
 * @return 0 or a negative errno */
int selftest_run(char *why, size_t cap);

#endif
