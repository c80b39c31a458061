#include "task.h"

#include <string.h>

#include "kernel.h"
#include "libst/annotate.h"
#include "policy.h"
#include "settings.h"

struct task tasks[TASKS_MAX];

static struct kern_task list[TASKS_MAX]; /* while a list is read */
ST_VAR(list, dont_transfer);

struct task *task_find(endpoint_t e) {
  return e > 0 && e < (endpoint_t)TASKS_MAX && tasks[e].endpoint ? &tasks[e] : NULL;
}

void task_each(void (*fn)(struct task *t)) {
  for (struct task *t = tasks; t < tasks + TASKS_MAX; t++)
    if (t->endpoint) fn(t);
}

static void begin(struct task *t, const struct kern_task *k) {
  *t = (struct task){.endpoint = k->endpoint,
                     .incarnation = k->incarnation,
                     .cpu_us = k->cpu_us,
                     .messages = k->messages};
  memcpy(t->name, k->name, sizeof(t->name) - 1);
  settings_apply(t);
  policy_begin(t);
}

/* An update's new version is another process, whose time begins anew. */
static uint64_t used_since(const struct task *t, const struct kern_task *k) {
  return k->cpu_us >= t->cpu_us ? k->cpu_us - t->cpu_us : 0;
}

static void observe(const struct kern_task *k) {
  struct task *t = &tasks[k->endpoint];
  if (t->endpoint != k->endpoint || t->incarnation != k->incarnation) begin(t, k);
  uint64_t used_us = used_since(t, k);
  t->seen = true;
  t->cpu_us = k->cpu_us;
  t->cpus = k->cpus;
  t->priority = k->priority;
  t->preempted = k->flags & BUS_TASK_PREEMPTED;
  t->busy = k->flags & BUS_TASK_BUSY && k->flags & BUS_TASK_RUNNING;
  t->stoppable = k->flags & BUS_TASK_RUNNING && !(k->flags & BUS_TASK_WANTED);
  uint64_t waits = k->messages - t->messages + !t->busy;
  t->messages = k->messages;
  t->turns += policy_charge(t, used_us, waits);
}

static void unsee(struct task *t) {
  t->seen = false;
}

static void forget_unseen(struct task *t) {
  if (!t->seen) *t = (struct task){0};
}

int task_refresh(void) {
  int n = kernel_tasks(list, TASKS_MAX);
  if (n < 0) return n;
  task_each(unsee);
  for (int i = 0; i < n; i++)
    if (list[i].endpoint > 0 && list[i].endpoint < (endpoint_t)TASKS_MAX &&
        !(list[i].flags & BUS_TASK_SYSTEM))
      observe(&list[i]);
  task_each(forget_unseen);
  return 0;
}
