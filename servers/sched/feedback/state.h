/* Multi-level feedback: what is kept about a task. */
#ifndef SCHED_STATE_H
#define SCHED_STATE_H

#include <stdint.h>

struct feedback_task {
  uint32_t level;   /* 0 is the first */
  uint64_t used_us; /* of its quantum: CPU time since it last waited for something */
  uint64_t turn;    /* its place among those of its level: the one with the smallest is next */
};

/* A type of its own, so that an update from another policy takes over nothing by mistake. */
struct policy_task {
  struct feedback_task feedback;
};

#endif
