/* The sched component: scheduling policy (libsys/if/sched.h).
 *
 * At each tick it looks at what every component has used and does (task.c), lets the policy judge
 * (policy.h), and tells the bus who is stopped and who runs (turns.c). New components and programs
 * are found at the next tick. Arguments: settings.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "libsys/sys.h"
#include "policy.h"
#include "print.h"
#include "settings.h"
#include "task.h"
#include "turns.h"

SYS_NEEDS(kernel, "schedule");

enum { BIT_TICK = 0, IDLE_TICKS = 5 /* between two looks while nobody computes for long */ };

static uint64_t ticks;

static void tick(void) {
  uint64_t now_us = sys_time_us();
  bool busy = false;
  if (task_refresh() == 0) {
    policy_tick(now_us);
    busy = turns_give();
  }
  ticks++;
  sys_alarm(BIT_TICK, now_us + settings_tick_ms() * (busy ? 1000ull : IDLE_TICKS * 1000ull));
}

/* ---- requests ---- */

static bool is_admin(endpoint_t e) {
  return settings_is_admin(sys_name(e));
}

static int set(const msg_t *m) {
  const struct sched_set *what = IPC(m, sched_set);
  if (what->class >= SCHED_CLASSES || what->nice > SCHED_NICE_MAX) return -EINVAL;
  if (!task_find(what->endpoint)) task_refresh(); /* it may have come since the last tick */
  struct task *t = task_find(what->endpoint);
  if (!t) return -ESRCH;
  bool lowers = what->endpoint == m->source && what->nice >= t->nice &&
                what->class != SCHED_CLASS_URGENT &&
                (what->class == SCHED_CLASS_BATCH || t->class != SCHED_CLASS_BATCH);
  if (!lowers && !is_admin(m->source)) return -EPERM;
  /* Saying it again earns nothing. */
  if (t->class == what->class && t->nice == what->nice) return 0;
  t->class = what->class;
  t->nice = what->nice;
  policy_begin(t);
  return 0;
}

static int place(const msg_t *m) {
  const struct sched_place *what = IPC(m, sched_place);
  if (!is_admin(m->source)) return -EPERM;
  const struct task *t = task_find(what->endpoint);
  if (!t) return -ESRCH;
  return kernel_place(t->endpoint, t->incarnation, what->cpus);
}

static void describe(const struct task *t, struct sched_entry *e) {
  *e = (struct sched_entry){.endpoint = t->endpoint,
                            .incarnation = t->incarnation,
                            .cpu_us = t->cpu_us,
                            .cpus = t->cpus,
                            .class = t->class,
                            .nice = t->nice,
                            .rank = policy_rank(t),
                            .preempted = t->preemptions,
                            .turns = t->turns};
  e->flags = (t->busy ? SCHED_BUSY : 0) | (t->preempted ? SCHED_PREEMPTED : 0) |
             (policy_is_long(t) ? SCHED_LONG : 0);
  memcpy(e->name, t->name, sizeof(e->name));
}

static void list(const msg_t *m, msg_t *reply) {
  struct sched_entry entries[TASKS_MAX];
  unsigned n = 0;
  for (const struct task *t = tasks; t < tasks + TASKS_MAX; t++)
    if (t->endpoint) describe(t, &entries[n++]);
  *IPC_REPLY(reply, sched_list) =
      (struct sched_list_reply){.ticks = ticks, .policy = policy_number};
  sys_reply_bulk(m->token, reply, entries, n * sizeof(entries[0]));
}

static void process_request(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case SCHED_SET:
    reply.status = set(m);
    break;
  case SCHED_PLACE:
    reply.status = place(m);
    break;
  case SCHED_LIST:
    list(m, &reply);
    return;
  default:
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

static int init(const sys_init_t *info) {
  (void)info;
  tick();
  return 0;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (settings_argument(argv[i])) continue;
    fprintf(stderr,
            "sched: '%s' is none of tick=MILLISECONDS, admin=NAME, NAME=batch, "
            "NAME=urgent, NAME=0 to %u\n",
            argv[i], SCHED_NICE_MAX);
    return 2;
  }
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL)
      tick();
    else if (m.type == BUS_TABLE && m.source == SYS_KERNEL)
      print_table(&m, ticks);
    else if (msg_is_request(&m))
      process_request(&m);
  }
}
