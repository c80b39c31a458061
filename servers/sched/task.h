/* Tasks: what the scheduler knows about each component that runs. */
#ifndef SCHED_TASK_H
#define SCHED_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/abi.h"
#include "libsys/if/sched.h"
#include "state.h"

#define TASKS_MAX 64u

struct task {
  endpoint_t endpoint; /* 0: none */
  uint32_t incarnation;
  char name[32];
  uint64_t cpu_us, cpus;
  uint64_t messages; /* that it has handled: it waited for each */
  enum sched_class class;
  uint32_t nice;
  bool seen;      /* in the kernel's last list */
  bool busy;      /* it computes, or would */
  bool preempted; /* by us; the kernel knows */
  bool stoppable; /* nobody waits for its answer, and nothing else is done with it */
  uint32_t priority;
  uint32_t preemptions, turns;
  struct policy_task policy;
};

/** By endpoint. */
extern struct task tasks[TASKS_MAX];

/** Asks the kernel what runs, and charges each for what it has used.
 * @return 0 or a negative errno */
int task_refresh(void);
/** One that runs, or NULL. */
struct task *task_find(endpoint_t e);
/** Calls `fn` with each. */
void task_each(void (*fn)(struct task *t));

#endif
