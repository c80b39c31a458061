/* Debuggers. While one holds any component, the instance's clocks stand still: deadlines of
 * requests, of starts and stops, pauses before restarts, heartbeats, probation, and the update
 * manager's alarms, which are the time-outs of updates. Other components' alarms are their own
 * time, and go off. */
#ifndef PROTEOS_DEBUG_H
#define PROTEOS_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"

/** Whether what is overdue shall not count, because a debugger holds something. Looks for debuggers
 * that were attached by hand, so ask only about something that is overdue. When the clocks go on,
 * what busd keeps is moved, and the timer looks at everything again. */
bool bus_clock_stopped(void);

/** A deadline, later by as long as the clocks stood still, and at least a second away from now: a
 * debugger attached by hand is noticed only when something is overdue. 0, which is none, stays. */
uint64_t debug_later(uint64_t at_us, uint64_t stopped_us, uint64_t now_us);

/** A debugger is about to be attached to a component, or is gone. */
void debug_begin(const struct endpoint *e);
void debug_end(const struct endpoint *e);
/** Whether this component is held, by prctl gdb or by hand. */
bool debug_holds(const struct endpoint *e);

/** Finds out whether the clocks go on. @return when to look again, or UINT64_MAX */
uint64_t debug_expire(uint64_t now_us);

#endif
