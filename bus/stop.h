/* Stopped components: their process stands still (SIGSTOP) while there is any reason for it.
 * Deadlines of those that wait for it stand still as well, and it owes no heartbeat. */
#ifndef PROTEOS_STOP_H
#define PROTEOS_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

enum stop_reason {
  STOP_PREEMPTED = 1, /* by the scheduler (bus/schedule.h) */
  STOP_SIGNAL = 2,    /* by SIGSTOP of who started it, until SIGCONT */
};

/* Of an endpoint. */
struct stop {
  unsigned reasons;  /* enum stop_reason, or-ed */
  uint64_t since_us; /* 0: it runs */
};

/** Adds a reason, or takes it away; the process goes on when there is none left. Without a process
 * there is nothing to stop. */
void stop_set(struct endpoint *e, enum stop_reason why, bool stop);
/** Its process is gone: the next one runs. */
void stop_forget(struct endpoint *e);

#endif
