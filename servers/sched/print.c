#include "print.h"

#include "control.pb-c.h"
#include "libst/annotate.h"
#include "libsys/kern.h"
#include "policy.h"
#include "task.h"

static const char *class_name(enum sched_class c) {
  switch (c) {
  case SCHED_CLASS_NORMAL:
    return "normal";
  case SCHED_CLASS_BATCH:
    return "batch";
  case SCHED_CLASS_URGENT:
    return "urgent";
  case SCHED_CLASSES:
    break;
  }
  return "?";
}

static void fill(Proteos__TaskStatus *s, const struct task *t) {
  proteos__task_status__init(s);
  s->name = (char *)(uintptr_t)t->name;
  s->endpoint = (uint32_t)t->endpoint;
  s->incarnation = t->incarnation;
  s->class_ = (char *)(uintptr_t)class_name(t->class);
  s->nice = t->nice;
  s->rank = policy_rank(t);
  s->cpus = t->cpus;
  s->cpu_us = t->cpu_us;
  s->preemptions = t->preemptions;
  s->turns = t->turns;
  s->busy = t->busy;
  s->takes_turns = policy_is_long(t);
  s->preempted = t->preempted;
}

/* All of them packed are less than SYS_PAYLOAD_MAX. */
void print_table(const msg_t *m, uint64_t ticks) {
  static uint8_t packed[SYS_PAYLOAD_MAX];
  Proteos__TaskStatus of_tasks[TASKS_MAX], *list[TASKS_MAX];
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__ScheduleStatus status = PROTEOS__SCHEDULE_STATUS__INIT;
  for (const struct task *t = tasks; t < tasks + TASKS_MAX; t++) {
    if (!t->endpoint) continue;
    list[status.n_tasks] = &of_tasks[status.n_tasks];
    fill(list[status.n_tasks++], t);
  }
  status.policy = policy_number;
  status.ticks = ticks;
  status.tasks = list;
  reply.last = true;
  reply.schedule = &status;
  kern_control_send(m->u64[0], packed, proteos__control_reply__pack(&reply, packed), true);
}
ST_STATIC(print_table, packed, dont_transfer);
