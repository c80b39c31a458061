/* Turns: who of those that compute for long runs, and who is stopped. */
#ifndef SCHED_TURNS_H
#define SCHED_TURNS_H

#include <stdbool.h>

/** Tells the kernel whose turn it is, and each one's priority. @return whether any takes turns */
bool turns_give(void);

#endif
