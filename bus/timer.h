/* The one clock that wakes busd: alarms, deadlines, restarts. What is due when stands in the
 * tables; here is only the earliest time at which to look. */
#ifndef PROTEOS_TIMER_H
#define PROTEOS_TIMER_H

#include <stdint.h>

/** @return 0 or a negative errno */
int timer_init(void);
/** As before timer_init(). */
void timer_deinit(void);

/** Looks at `at_us` (monotonic, absolute) or before. Asking for more than is needed is cheap: only
 * an earlier time than all before costs a system call. */
void timer_at(uint64_t at_us);

#endif
