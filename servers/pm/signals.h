/* Signals. */
#ifndef PM_SIGNALS_H
#define PM_SIGNALS_H

#include "servers/pm/process.h"

#define SIGNALS_MAX 64

static inline uint64_t signal_bit(int signal) {
  return 1ull << (signal - 1);
}

/** PROC_KILL. */
void signals_kill(const msg_t *m);
/** PROC_SIGNALS. */
void signals_set(const msg_t *m);
/** PROC_TAKE. */
void signals_take(const msg_t *m);

/** Does what a signal does to a living process, which may be gone then if it does not run yet. */
void signals_deliver(struct process *p, int signal);
/** SIGCHLD for its parent, who may wait as well. */
void signals_tell_parent(const struct process *p);

#endif
