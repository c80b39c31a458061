/* Stopped components: their process stands still (SIGSTOP) while there is any reason for it. For
 * most reasons it is excused: deadlines of those that wait for it stand still as well, and it owes
 * no heartbeat. */
#ifndef PROTEOS_STOP_H
#define PROTEOS_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

enum stop_reason {
  STOP_PREEMPTED = 1, /* by the scheduler (bus/schedule.h) */
  STOP_SIGNALLED = 2, /* a program: SIGSTOP of KERN_SIGNAL, until SIGCONT */
  STOP_ORDERED = 4,   /* by prctl kill, until it sends SIGCONT: a fault, which excuses nothing */
};

/* Of an endpoint. */
struct stop {
  unsigned reasons;  /* enum stop_reason, or-ed */
  uint64_t since_us; /* excused since then; 0: it is not */
};

/** Adds a reason, or takes it away; the process goes on when there is none left. Without a process
 * there is nothing to stop. */
void stop_set(struct endpoint *e, enum stop_reason why, bool stop);
/** The same for STOP_ORDERED; it also goes on if it was stopped by nobody that the bus knows. */
void stop_order(struct endpoint *e, bool stop);
/** Whether it is to blame for nothing, as others have stopped it. */
bool stop_excuses(const struct endpoint *e);
/** Its process is gone, or serves no more: the next one runs. */
void stop_forget(struct endpoint *e);

#endif
