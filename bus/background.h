/* Processes that give way to others on their CPU. */
#ifndef PROTEOS_BACKGROUND_H
#define PROTEOS_BACKGROUND_H

#include <stdbool.h>
#include <sys/types.h>

/** Whether a process lets whatever wakes up on its CPU run at once. It gets its share of the CPU
 * all the same, in fewer and longer pieces: Linux gives a fair task the slice it asks for, and
 * takes the CPU from one with a long slice for one with a shorter (sched_setattr(2),
 * `sched_runtime`; EEVDF, Linux 6.12). Older kernels have equal slices for all, and then this does
 * nothing. Unlike a niceness or SCHED_IDLE it can be taken back without privileges. Children
 * inherit it.
 * @param pid  0 = the caller */
void background_set(pid_t pid, bool background);

#endif
