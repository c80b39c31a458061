/* Job control: the foreground process group, and what the process manager is asked about it. */
#ifndef TTY_JOBS_H
#define TTY_JOBS_H

#include <stdbool.h>

#include "libsys/msg.h"

/** The foreground group; 0: none. */
int32_t jobs_group(void);
void jobs_set_group(int32_t group);
/** Sends a signal to it, if there is one. */
void jobs_signal(int signal);
/** Whether a process may read now. If it is in the background its group is stopped. */
bool jobs_may_read(endpoint_t reader);

#endif
