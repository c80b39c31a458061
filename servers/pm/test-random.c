/* pm among processes, servers and a bus that do anything in any order. After each step its table
 * must agree with the bus's places and with itself. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "drivers-sim/test-component.h"
#include "servers/pm/process.h"
#include "servers/pm/test-system.h"

#define SEEDS 20
#define STEPS 20000

static unsigned seed;
static unsigned long step;

static unsigned any(unsigned n) {
  return (unsigned)rand_r(&seed) % n;
}

static const int signals[] = {SIGKILL, SIGTERM, SIGSTOP, SIGTSTP, SIGCONT, SIGCHLD, SIGUSR1, 0, 77};
static const int errors[] = {0, 0, 0, 0, -EBADF, -SYS_EDEADSRCDST, -SYS_ERESTARTED, -EMFILE};

static endpoint_t any_place(void) {
  return FIRST_PLACE + (endpoint_t)any(nplaces);
}

static bool runs(endpoint_t at) {
  const struct place *p = &places[at - FIRST_PLACE];
  return p->taken && p->started;
}

/* Somebody who may send: a component, or the program of a place. */
static endpoint_t anybody(void) {
  endpoint_t at = any_place();
  return any(8) && runs(at) ? at : INIT;
}

static int32_t any_pid(void) {
  struct process *p = process_after(0);
  for (unsigned n = any(12); p && n > 0 && TAILQ_NEXT(p, link); n--)
    p = TAILQ_NEXT(p, link);
  int32_t pid = p ? p->pid : 5;
  return any(6) ? pid : any(2) ? -pid : (int32_t)any(3) - 1;
}

static void act(void) {
  msg_t m = {0};
  endpoint_t at = any_place();
  switch (any(13)) {
  case 0:
  case 1:
    ask_spawn(anybody(), any(3), any(9) ? TTY : 3);
    return;
  case 2:
  case 3:
    if (ncalls > nanswered) server_answers(errors[any(8)]);
    return;
  case 4:
  case 5:
    if (runs(at)) begin(at);
    return;
  case 6:
    if (runs(at)) ends(at, any(2) ? SIGKILL : (int)any(256) << 8);
    return;
  case 7:
  case 8:
    m.type = PROC_KILL;
    *IPC(&m, proc_kill) = (struct proc_kill){{{.pid = any_pid(), .signal = signals[any(9)]}}};
    break;
  case 9:
    m.type = PROC_WAIT;
    *IPC(&m, proc_wait) = (struct proc_wait){{{.pid = any(2) ? -1 : any_pid(), .flags = any(8)}}};
    break;
  case 10:
    m.type = PROC_SIGNALS;
    IPC(&m, proc_signals)->caught = any(2) ? 1ull << (SIGUSR1 - 1) : 1ull << (SIGCONT - 1);
    IPC(&m, proc_signals)->ignored = any(2) ? 1ull << (SIGCHLD - 1) : 0;
    break;
  case 11:
    m.type = PROC_SET_GROUP;
    *IPC(&m, proc_set_group) = (struct proc_set_group){{{.pid = any_pid(), .group = any_pid()}}};
    break;
  case 12:
    if (any(4)) return;
    if (runs(at)) places[at - FIRST_PLACE].answered = true; /* by another version */
    m = (msg_t){.source = SYS_KERNEL, .type = any(2) ? PROGRAM_LOOK_AGAIN : SYS_RESTARTED};
    m.i32[0] = STORAGE;
    component_receive(m);
    return;
  }
  request(anybody(), m);
}

static void wrong(const struct process *p, const char *what) {
  ck_abort_msg("step %lu: process %d (phase %d): %s", step, p->pid, p->phase, what);
}

static void check_process(const struct process *p) {
  const struct place *at = p->program.endpoint ? &places[p->program.endpoint - FIRST_PLACE] : NULL;
  bool ended = p->phase == PROCESS_ENDED;
  bool begins = p->phase == PROCESS_GATHERING || p->phase == PROCESS_STARTING;
  const struct process *parent = process_by_pid(p->parent);
  if (ended != (at == NULL)) wrong(p, "has no place, or one too many");
  if (at && (!at->taken || at->incarnation != p->program.incarnation)) wrong(p, "lost its place");
  if (at && at->started != (p->phase != PROCESS_GATHERING)) wrong(p, "runs, or does not");
  if (begins != (p->spawn != NULL)) wrong(p, "begins, or has begun");
  if (p->parent != PROCESS_ORPHANAGE && !parent) wrong(p, "has a parent that is not there");
  if (parent && !process_is_alive(parent)) wrong(p, "is a zombie's child");
  if (ended && p->parent == PROCESS_ORPHANAGE) wrong(p, "is a zombie that nobody waits for");
  if (p->stopped && p->phase == PROCESS_RUNNING && at->signal != SIGSTOP && at->signal != SIGKILL)
    wrong(p, "should stand still");
}

static void check(void) {
  const struct process *p;
  unsigned taken = 0, placed = 0;
  TAILQ_FOREACH (p, &processes, link) {
    check_process(p);
    placed += p->program.endpoint != 0;
  }
  for (unsigned i = 0; i < nplaces; i++)
    taken += places[i].taken;
  ck_assert_msg(taken == placed, "step %lu: %u places are taken, by %u processes", step, taken,
                placed);
}

/* What has been answered is not needed any more. */
static void forget_past(void) {
  nreplies = 0;
  memmove(calls, calls + nanswered, (ncalls - nanswered) * sizeof(calls[0]));
  ncalls -= nanswered;
  nanswered = 0;
}

START_TEST(anything) {
  seed = (unsigned)_i;
  test_system_start();
  calls_max = 3;
  for (step = 0; step < STEPS; step++) {
    places[any(nplaces)].start_error = any(20) ? 0 : -ENOMEM;
    act();
    check();
    forget_past();
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("random");
  TCase *t = tcase_create("random");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, anything, 1, 1 + SEEDS);
  suite_add_tcase(s, t);
  return test_run(s);
}
