#include "servers/pm/limit.h"

#include <errno.h>
#include <signal.h>

#include "servers/pm/caller.h"
#include "servers/pm/list.h"
#include "servers/pm/signals.h"

#define LOOK_AT_LEAST_US 10000u /* between two looks: CPU time is not told more exactly */

bool limits_allow_child(const struct process *p) {
  return !p || process_count_children(p->pid) < p->limits.children;
}

/* ---- CPU time ---- */

static bool is_limited(const struct process *p) {
  bool runs = p->phase == PROCESS_STARTING || p->phase == PROCESS_RUNNING;
  return runs && p->limits.cpu_s != NO_LIMIT && !p->end_signal;
}

static uint64_t allowance_us(const struct process *p) {
  uint64_t s = p->cpu_next_s > p->limits.cpu_s ? p->cpu_next_s : p->limits.cpu_s;
  return s > UINT64_MAX / 1000000u ? UINT64_MAX : s * 1000000u;
}

/* Past its limit it is told again with each second that it uses.
 * @return how long it can run until it is at its limit, at the earliest */
static uint64_t look_at(struct process *p) {
  uint64_t used = list_cpu_us(p);
  if (used >= allowance_us(p)) {
    p->cpu_next_s = used / 1000000u + 1;
    signals_deliver(p, SIGXCPU);
  }
  return allowance_us(p) - used;
}

void limits_look(void) {
  struct process *p = process_after(0);
  uint64_t left = UINT64_MAX;
  for (int32_t pid; p; p = process_after(pid)) {
    pid = p->pid;
    if (!is_limited(p)) continue;
    uint64_t its = look_at(p);
    if (its < left) left = its;
  }
  if (left < LOOK_AT_LEAST_US) left = LOOK_AT_LEAST_US;
  uint64_t now = sys_time_us();
  sys_alarm(LIMITS_ALARM_BIT, left > UINT64_MAX / 2 ? 0 : now + left);
}

/* ---- PROC_SET_LIMIT ---- */

static uint64_t *limit(struct process *p, uint32_t which) {
  switch ((enum proc_limit)which) {
  case PROC_LIMIT_CHILDREN:
    return &p->limits.children;
  case PROC_LIMIT_CPU_S:
    return &p->limits.cpu_s;
  }
  return NULL;
}

void limits_set(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  const struct proc_set_limit *r = IPC(m, proc_set_limit);
  uint64_t *value = p ? limit(p, r->which) : NULL;
  int status = !p ? -ESRCH : !value ? -EINVAL : r->value > *value ? -EPERM : 0;
  if (!status) *value = r->value;
  answer_status(m, status);
  if (!status) limits_look();
}
