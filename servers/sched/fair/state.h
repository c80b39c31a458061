/* Fair share: what is kept about a task. */
#ifndef SCHED_STATE_H
#define SCHED_STATE_H

#include <stdint.h>

struct fair_task {
  uint64_t virtual_us; /* CPU time that it has used, divided by its weight */
  uint64_t streak_us;  /* CPU time since it last waited for something */
  uint64_t given_us;   /* since it last used up a slice */
};

/* A type of its own, so that an update from another policy takes over nothing by mistake. */
struct policy_task {
  struct fair_task fair;
};

#endif
