/* The scheduler's arguments: tick=MILLISECONDS, admin=NAME, NAME=batch, NAME=urgent, NAME=NICE. */
#ifndef SCHED_SETTINGS_H
#define SCHED_SETTINGS_H

#include <stdbool.h>

#include "libsys/msg.h"

struct task;

/** Reads one. @return whether it is one */
bool settings_argument(const char *text);
/** How often those that compute for long take turns. */
unsigned settings_tick_ms(void);
/** Whether it may set others. */
bool settings_is_admin(const char *name);
/** Gives a task that has come what the arguments say. */
void settings_apply(struct task *t);

#endif
