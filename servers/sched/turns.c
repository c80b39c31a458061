#include "turns.h"

#include "kernel.h"
#include "policy.h"
#include "settings.h"
#include "task.h"

/* How many ticks a stop lasts unless it is renewed: should this scheduler not come to it, all go
 * on.
 */
enum { RENEWALS = 10 };

static bool takes_turns(const struct task *t) {
  return t->endpoint && t->busy && t->class != SCHED_CLASS_URGENT && policy_is_long(t);
}

/* Among those that may run on the same CPUs. */
static unsigned count_before(const struct task *t) {
  unsigned n = 0;
  for (const struct task *other = tasks; other < tasks + TASKS_MAX; other++)
    n += other != t && takes_turns(other) && other->cpus == t->cpus && policy_before(other, t);
  return n;
}

static bool has_turn(const struct task *t) {
  return !takes_turns(t) || count_before(t) < (unsigned)__builtin_popcountll(t->cpus);
}

static unsigned stop_ms(void) {
  unsigned ms = settings_tick_ms() * RENEWALS;
  return ms < BUS_PREEMPT_MS_MAX ? ms : BUS_PREEMPT_MS_MAX;
}

/* Whom others wait for runs in any case. */
static void give(struct task *t) {
  bool stop = t->stoppable && !has_turn(t);
  if (!stop && !t->preempted) return;
  int error = kernel_preempt(t->endpoint, t->incarnation, stop ? stop_ms() : 0);
  if (error) return; /* the next list says why */
  t->preemptions += stop && !t->preempted;
  t->preempted = stop;
}

static void set_priority(struct task *t) {
  uint32_t priority = t->class == SCHED_CLASS_URGENT ? BUS_PRIORITY_MAX : policy_priority(t);
  if (priority == t->priority) return;
  if (kernel_set_priority(t->endpoint, t->incarnation, priority) == 0) t->priority = priority;
}

static void give_turn(struct task *t) {
  if (has_turn(t)) give(t);
}

static void take_turn(struct task *t) {
  if (!has_turn(t)) give(t);
}

bool turns_give(void) {
  bool any = false;
  /* Who stops first, so that never more run than there are CPUs. */
  task_each(take_turn);
  task_each(give_turn);
  task_each(set_priority);
  for (const struct task *t = tasks; t < tasks + TASKS_MAX; t++)
    any |= takes_turns(t);
  return any;
}
