/* The scheduler without a bus, with either policy. The test is the kernel, and simulates the CPUs:
 * in each tick those that compute and are not stopped share the CPU that they are on. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "../kernel.h"
#include "../policy.h"
#include "../settings.h"
#include "bus/test-run.h"
#include "control.pb-c.h"
#include "drivers-sim/test-component.h"
#include "libsys/if/sched.h"
#include "libsys/kern.h"
#include "libsys/sys.h"

enum { SELF = 1, HOG1, HOG2, HOG3, PEER, SERVER, TASKS, TICK_US = 20000, FEEDBACK = 1 };

/* ---- the kernel ---- */

static struct sim {
  struct kern_task k;
  bool there, hog;
  bool waits; /* a hog that waits for something once a tick */
  uint32_t preempt_ms;
  unsigned ticks_stopped, longest_stopped;
} sims[TASKS];
static uint64_t now_us, alarm_us;

int kernel_tasks(struct kern_task *list, unsigned max) {
  unsigned n = 0;
  for (endpoint_t e = 1; e < TASKS && n < max; e++)
    if (sims[e].there) list[n++] = sims[e].k;
  return (int)n;
}

static struct sim *life(endpoint_t e, uint32_t incarnation) {
  ck_assert(e > 0 && e < TASKS && sims[e].there);
  ck_assert_uint_eq(incarnation, sims[e].k.incarnation);
  return &sims[e];
}

int kernel_set_priority(endpoint_t e, uint32_t incarnation, uint32_t priority) {
  ck_assert_uint_le(priority, BUS_PRIORITY_MAX);
  life(e, incarnation)->k.priority = priority;
  return 0;
}

int kernel_preempt(endpoint_t e, uint32_t incarnation, uint32_t ms) {
  struct sim *s = life(e, incarnation);
  ck_assert(!(s->k.flags & (BUS_TASK_SYSTEM | BUS_TASK_WANTED)) || !ms);
  s->preempt_ms = ms;
  s->k.flags = ms ? s->k.flags | BUS_TASK_PREEMPTED : s->k.flags & ~(uint32_t)BUS_TASK_PREEMPTED;
  return 0;
}

int kernel_place(endpoint_t e, uint32_t incarnation, uint64_t cpus) {
  life(e, incarnation)->k.cpus = cpus ? cpus : 1;
  return 0;
}

/* ---- libsys ---- */

static msg_t answer;
static struct sched_entry entries[64];
static unsigned answers;

int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t n) {
  (void)token;
  answer = *m;
  answer.payload = (uint32_t)n;
  if (n) memcpy(entries, out, n);
  answers++;
  return 0;
}
int sys_reply(uint64_t token, const msg_t *m) {
  return sys_reply_bulk(token, m, NULL, 0);
}
int sys_alarm(unsigned bit, uint64_t at_us) {
  ck_assert_uint_eq(bit, 0);
  alarm_us = at_us;
  return 0;
}
uint64_t sys_time_us(void) {
  return now_us;
}
void sys_log(const char *fmt, ...) {
  (void)fmt;
}
const char *sys_name(endpoint_t e) {
  return e == PEER ? "peer" : "?";
}

static Proteos__ControlReply *told; /* to prctl */

int kern_control_send(uint64_t connection, const void *packed, size_t bytes, bool last) {
  ck_assert_uint_eq(connection, 77);
  ck_assert(last && bytes < SYS_PAYLOAD_MAX);
  told = proteos__control_reply__unpack(NULL, bytes, packed);
  ck_assert(told && told->last && told->schedule);
  return 0;
}

/* ---- the simulation ---- */

static void come(endpoint_t e, const char *name, uint32_t flags, bool hog) {
  sims[e] = (struct sim){.there = true, .hog = hog};
  sims[e].k = (struct kern_task){.endpoint = e,
                                 .incarnation = 1,
                                 .cpus = 1,
                                 .priority = BUS_PRIORITY_DEFAULT,
                                 .flags = flags | BUS_TASK_RUNNING | (hog ? BUS_TASK_BUSY : 0)};
  strcpy(sims[e].k.name, name);
}

static bool runs(const struct sim *s) {
  return s->there && s->hog && !(s->k.flags & BUS_TASK_PREEMPTED);
}

static void share(uint64_t us) {
  for (uint64_t cpu = 1; cpu; cpu <<= 1) {
    unsigned n = 0;
    for (endpoint_t e = 1; e < TASKS; e++)
      n += runs(&sims[e]) && sims[e].k.cpus == cpu;
    for (endpoint_t e = 1; e < TASKS; e++)
      if (runs(&sims[e]) && sims[e].k.cpus == cpu) sims[e].k.cpu_us += us / n;
  }
}

/* The peer and the server do a little for many messages. */
static void talk(void) {
  for (endpoint_t e = PEER; e <= SERVER; e++) {
    sims[e].k.messages += 20;
    sims[e].k.cpu_us += 2000;
  }
  for (endpoint_t e = HOG1; e <= HOG3; e++)
    sims[e].k.messages += sims[e].waits && runs(&sims[e]);
}

static void count_stopped(void) {
  for (endpoint_t e = 1; e < TASKS; e++) {
    struct sim *s = &sims[e];
    s->ticks_stopped = s->k.flags & BUS_TASK_PREEMPTED ? s->ticks_stopped + 1 : 0;
    if (s->ticks_stopped > s->longest_stopped) s->longest_stopped = s->ticks_stopped;
  }
}

/* @return ticks */
static unsigned pass(uint64_t us) {
  unsigned n = 0;
  for (uint64_t end = now_us + us; now_us < end; n++) {
    ck_assert_uint_gt(alarm_us, now_us);
    share(alarm_us - now_us);
    talk();
    now_us = alarm_us;
    component_receive((msg_t){.type = SYS_NOTIFIED, .bits = 1});
    count_stopped();
  }
  return n;
}

static const msg_t *ask(endpoint_t from, msg_t m) {
  unsigned before = answers;
  m.source = from;
  m.token = 1;
  component_receive(m);
  ck_assert_uint_eq(answers, before + 1);
  return &answer;
}

static int set(endpoint_t from, endpoint_t e, uint32_t class, uint32_t nice) {
  msg_t m = {.type = SCHED_SET};
  *IPC(&m, sched_set) = (struct sched_set){.endpoint = e, .class = class, .nice = nice};
  return ask(from, m)->status;
}

static const struct sched_entry *entry(endpoint_t e) {
  ask(PEER, (msg_t){.type = SCHED_LIST});
  for (unsigned i = 0; i < answer.payload / sizeof(entries[0]); i++)
    if (entries[i].endpoint == e) return &entries[i];
  return NULL;
}

static void setup(void) {
  static char *argv[] = {"sched", "admin=peer", "tick=20", "named=2", NULL};
  memset(sims, 0, sizeof(sims));
  now_us = 1000;
  come(SELF, "sched", BUS_TASK_SYSTEM, false);
  come(PEER, "peer", 0, false);
  come(SERVER, "server", 0, false);
  component_start(4, argv);
}

static void three_hogs(void) {
  come(HOG1, "hog", 0, true);
  come(HOG2, "hog", 0, true);
  come(HOG3, "hog", 0, true);
}

/* ---- tests ---- */

START_TEST(hogs_take_turns_and_none_starves) {
  three_hogs();
  pass(3000000);
  uint64_t all = 0;
  for (endpoint_t e = HOG1; e <= HOG3; e++)
    all += sims[e].k.cpu_us;
  for (endpoint_t e = HOG1; e <= HOG3; e++) {
    ck_assert_uint_gt(sims[e].k.cpu_us, all / 4); /* of three */
    ck_assert_uint_gt(entry(e)->preempted, 3);
    ck_assert_uint_le(sims[e].longest_stopped, 2 * 5 + 2); /* the others' longest quanta */
    ck_assert(entry(e)->flags & SCHED_BUSY);
  }
}
END_TEST

START_TEST(one_runs_at_a_time) {
  three_hogs();
  pass(200000);
  for (unsigned i = 0; i < 30; i++) {
    unsigned n = 0;
    pass(TICK_US);
    for (endpoint_t e = HOG1; e <= HOG3; e++)
      n += runs(&sims[e]);
    ck_assert_uint_ge(n, 1);
    if (n > 1) ck_assert_uint_eq(policy_number, FEEDBACK); /* after a boost all are like new */
  }
}
END_TEST

START_TEST(who_waits_for_messages_is_not_disturbed) {
  three_hogs();
  pass(5400000);
  ck_assert_uint_eq(entry(PEER)->preempted, 0);
  ck_assert_uint_eq(entry(SERVER)->preempted, 0);
  ck_assert_uint_eq(sims[SERVER].k.priority, BUS_PRIORITY_DEFAULT);
  ck_assert_uint_lt(sims[HOG1].k.priority, BUS_PRIORITY_DEFAULT);
  ck_assert_ptr_null(entry(SELF));
}
END_TEST

START_TEST(whom_others_wait_for_runs) {
  three_hogs();
  sims[HOG1].k.flags |= BUS_TASK_WANTED; /* kernel_preempt() checks it */
  pass(1000000);
  ck_assert_uint_eq(entry(HOG1)->preempted, 0);
  sims[HOG1].k.flags &= ~(uint32_t)BUS_TASK_WANTED;
  pass(1000000);
  ck_assert_uint_gt(entry(HOG1)->preempted, 0);
}
END_TEST

START_TEST(the_table_is_told) {
  three_hogs();
  set(PEER, HOG2, SCHED_CLASS_BATCH, 1);
  pass(950000);
  component_receive((msg_t){.source = SYS_KERNEL, .type = BUS_TABLE, .u64 = {77}});
  ck_assert_ptr_nonnull(told);
  ck_assert_uint_eq(told->schedule->policy, policy_number);
  ck_assert_uint_gt(told->schedule->ticks, 0);
  ck_assert_uint_eq(told->schedule->n_tasks, 5); /* without itself */
  unsigned running = 0;
  for (size_t i = 0; i < told->schedule->n_tasks; i++) {
    const Proteos__TaskStatus *t = told->schedule->tasks[i];
    const struct sched_entry *e = entry((endpoint_t)t->endpoint);
    bool hog = strcmp(t->name, "hog") == 0;
    ck_assert_str_eq(t->class_, t->endpoint == HOG2 ? "batch" : "normal");
    ck_assert_uint_eq(t->nice, t->endpoint == HOG2);
    ck_assert_uint_eq(t->cpu_us, e->cpu_us);
    ck_assert_uint_eq(t->preemptions, e->preempted);
    ck_assert_uint_eq(t->turns, e->turns);
    ck_assert_uint_eq(t->rank, e->rank);
    ck_assert(t->busy == hog && t->cpus == 1);
    ck_assert(t->preempted == !!(e->flags & SCHED_PREEMPTED));
    ck_assert(t->takes_turns == !!(e->flags & SCHED_LONG));
    running += hog && !t->preempted;
  }
  ck_assert_uint_ge(running, 1);
  ck_assert_uint_lt(running, 3);
}
END_TEST

START_TEST(it_is_stopped_for_a_bounded_time_only) {
  three_hogs();
  pass(300000);
  for (endpoint_t e = HOG1; e <= HOG3; e++)
    if (!runs(&sims[e])) ck_assert_uint_eq(sims[e].preempt_ms, 200);
}
END_TEST

START_TEST(each_cpu_has_turns_of_its_own) {
  three_hogs();
  ck_assert_int_eq(ask(PEER, (msg_t){.type = SCHED_PLACE, .u64 = {2, HOG3}})->status, -ESRCH);
  pass(200000);
  ck_assert_int_eq(ask(PEER, (msg_t){.type = SCHED_PLACE, .u64 = {2, HOG3}})->status, 0);
  ck_assert_int_eq(ask(SERVER, (msg_t){.type = SCHED_PLACE, .u64 = {2, HOG1}})->status, -EPERM);
  pass(200000);
  uint32_t before = entry(HOG3)->preempted;
  pass(2000000);
  ck_assert_uint_eq(entry(HOG3)->preempted, before);
  ck_assert_uint_gt(entry(HOG1)->preempted, 0);
}
END_TEST

START_TEST(classes) {
  three_hogs();
  pass(300000);
  ck_assert_int_eq(set(PEER, HOG1, SCHED_CLASS_URGENT, 0), 0);
  ck_assert_int_eq(set(PEER, HOG2, SCHED_CLASS_BATCH, 0), 0);
  pass(TICK_US);
  uint32_t before = entry(HOG1)->preempted;
  uint64_t used2 = sims[HOG2].k.cpu_us, used3 = sims[HOG3].k.cpu_us;
  pass(3000000);
  ck_assert_uint_eq(entry(HOG1)->preempted, before);
  ck_assert_uint_eq(sims[HOG1].k.priority, BUS_PRIORITY_MAX);
  used2 = sims[HOG2].k.cpu_us - used2;
  used3 = sims[HOG3].k.cpu_us - used3;
  ck_assert_uint_gt(used2, 0);
  ck_assert_uint_lt(used2, used3);
}
END_TEST

/* Those before it never end, and never drop to its level. */
START_TEST(the_least_important_does_not_starve) {
  three_hogs();
  sims[HOG2].waits = sims[HOG3].waits = true;
  pass(TICK_US * 5);
  ck_assert_int_eq(set(PEER, HOG1, SCHED_CLASS_BATCH, SCHED_NICE_MAX), 0);
  for (unsigned i = 0; i < 5; i++) {
    uint64_t before = sims[HOG1].k.cpu_us;
    pass(1100000);
    ck_assert_uint_gt(sims[HOG1].k.cpu_us, before);
  }
}
END_TEST

START_TEST(a_new_life_is_a_new_task) {
  three_hogs();
  come(PEER, "named", 0, false);
  sims[PEER].k.incarnation = 2;
  pass(400000);
  ck_assert_uint_eq(entry(PEER)->nice, 2); /* by the arguments */
  ck_assert_uint_gt(entry(HOG1)->turns, 0);
  sims[HOG1].k.incarnation = 2;
  sims[HOG1].k.cpu_us = 0;
  sims[HOG1].k.flags &= ~(uint32_t)BUS_TASK_PREEMPTED;
  sims[HOG2].there = false;
  pass(TICK_US);
  ck_assert_uint_le(entry(HOG1)->turns, 1);
  ck_assert_ptr_null(entry(HOG2));
}
END_TEST

START_TEST(a_new_process_of_the_same_life_used_nothing_yet) {
  three_hogs();
  pass(400000);
  sims[HOG1].k.cpu_us = 5; /* an update */
  pass(TICK_US);
  ck_assert_uint_le(entry(HOG1)->cpu_us, 5 + TICK_US);
  pass(2000000);
  ck_assert_uint_gt(sims[HOG1].k.cpu_us, 200000);
}
END_TEST

START_TEST(who_may_set_whom) {
  pass(TICK_US);
  ck_assert_int_eq(set(SERVER, PEER, SCHED_CLASS_NORMAL, 1), -EPERM);
  ck_assert_int_eq(set(SERVER, SERVER, SCHED_CLASS_URGENT, 0), -EPERM);
  ck_assert_int_eq(set(SERVER, SERVER, SCHED_CLASS_NORMAL, 2), 0);
  ck_assert_int_eq(set(SERVER, SERVER, SCHED_CLASS_NORMAL, 1), -EPERM);
  ck_assert_int_eq(set(SERVER, SERVER, SCHED_CLASS_BATCH, 2), 0);
  ck_assert_int_eq(set(SERVER, SERVER, SCHED_CLASS_NORMAL, 2), -EPERM);
  ck_assert_int_eq(set(PEER, SERVER, SCHED_CLASS_NORMAL, 0), 0);
  ck_assert_int_eq(set(PEER, SELF, SCHED_CLASS_NORMAL, 0), -ESRCH);
  ck_assert_int_eq(set(PEER, 0, SCHED_CLASS_NORMAL, 0), -ESRCH);
  ck_assert_int_eq(set(PEER, 64, SCHED_CLASS_NORMAL, 0), -ESRCH);
  ck_assert_int_eq(set(PEER, SERVER, SCHED_CLASSES, 0), -EINVAL);
  ck_assert_int_eq(set(PEER, SERVER, SCHED_CLASS_NORMAL, SCHED_NICE_MAX + 1), -EINVAL);
  ck_assert_int_eq(ask(PEER, (msg_t){.type = 0xcff})->status, -ENOSYS);
}
END_TEST

START_TEST(what_is_said_again_earns_nothing) {
  three_hogs();
  pass(400000);
  uint32_t rank = entry(HOG1)->rank;
  ck_assert_int_eq(set(HOG1, HOG1, SCHED_CLASS_NORMAL, 0), 0);
  ck_assert_uint_eq(entry(HOG1)->rank, rank);
  ck_assert(entry(HOG1)->flags & SCHED_LONG);
}
END_TEST

START_TEST(arguments) {
  static const char *const good[] = {"tick=1", "admin=x", "x=batch", "x=urgent", "x=0", "x=3"};
  static const char *const bad[] = {"",     "x",      "x=",        "=1",    "x=4",
                                    "x=-1", "tick=0", "tick=1001", "tick=", "x=soon"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    ck_assert_msg(settings_argument(good[i]), "%s", good[i]);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    ck_assert_msg(!settings_argument(bad[i]), "%s", bad[i]);
}
END_TEST

int main(void) {
  Suite *s = suite_create("sched");
  TCase *t = tcase_create("sched");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, hogs_take_turns_and_none_starves);
  tcase_add_test(t, one_runs_at_a_time);
  tcase_add_test(t, who_waits_for_messages_is_not_disturbed);
  tcase_add_test(t, whom_others_wait_for_runs);
  tcase_add_test(t, the_table_is_told);
  tcase_add_test(t, it_is_stopped_for_a_bounded_time_only);
  tcase_add_test(t, each_cpu_has_turns_of_its_own);
  tcase_add_test(t, classes);
  tcase_add_test(t, the_least_important_does_not_starve);
  tcase_add_test(t, a_new_life_is_a_new_task);
  tcase_add_test(t, a_new_process_of_the_same_life_used_nothing_yet);
  tcase_add_test(t, who_may_set_whom);
  tcase_add_test(t, what_is_said_again_earns_nothing);
  tcase_add_test(t, arguments);
  suite_add_tcase(s, t);
  return test_run(s);
}
