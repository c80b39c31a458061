/* Limits of processes: how many children, how much CPU time. */
#ifndef PM_LIMIT_H
#define PM_LIMIT_H

#include "servers/pm/process.h"

/** The alarm by which CPU time is looked at. */
enum { LIMITS_ALARM_BIT = 0 };

/** PROC_SET_LIMIT. */
void limits_set(const msg_t *m);

/** Whether a process may have one child more; components always may. @param p  NULL: a component */
bool limits_allow_child(const struct process *p);

/** Looks at the CPU time of those who have a limit, and when to look again. */
void limits_look(void);

#endif
