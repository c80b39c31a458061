#include "servers/pm/signals.h"

#include <errno.h>
#include <signal.h>

#include "servers/pm/caller.h"
#include "servers/pm/ending.h"
#include "servers/pm/spawn.h"

enum action { ACTION_NOTHING, ACTION_STOP, ACTION_END };

/* POSIX, <signal.h>. SIGCONT lets go on whatever is said of it. */
static enum action default_action(int signal) {
  switch (signal) {
  case SIGCHLD:
  case SIGURG:
  case SIGWINCH:
    return ACTION_NOTHING;
  case SIGSTOP:
  case SIGTSTP:
  case SIGTTIN:
  case SIGTTOU:
    return ACTION_STOP;
  default:
    return ACTION_END;
  }
}

/* ---- what they do ---- */

void signals_tell_parent(const struct process *p) {
  struct process *parent = process_by_pid(p->parent);
  if (!parent || !process_is_alive(parent) || p->spawn) return;
  ending_look(parent);
  signals_deliver(parent, SIGCHLD);
}

/* One that has not begun goes on until it has: its parent waits for that. */
static void stop(struct process *p, int signal) {
  if (p->stopped) return;
  p->stopped = true;
  p->stop_signal = signal;
  p->news = NEWS_STOPPED;
  if (p->phase == PROCESS_RUNNING) kern_signal(p->program, SIGSTOP);
  signals_tell_parent(p);
}

static void end(struct process *p, int signal) {
  p->end_signal = signal;
  if (p->phase == PROCESS_GATHERING)
    spawn_abort(p, -ECHILD);
  else
    kern_signal(p->program, SIGKILL);
}

static void go_on(struct process *p) {
  if (!p->stopped) return;
  uint64_t postponed = p->postponed;
  p->stopped = false;
  p->postponed = 0;
  p->news = NEWS_CONTINUED;
  if (p->phase == PROCESS_RUNNING) kern_signal(p->program, SIGCONT);
  signals_tell_parent(p);
  if (postponed) end(p, __builtin_ctzll(postponed) + 1);
}

static void act(struct process *p, int signal) {
  switch (default_action(signal)) {
  case ACTION_NOTHING:
    break;
  case ACTION_STOP:
    stop(p, signal);
    break;
  case ACTION_END:
    if (p->stopped && signal != SIGKILL)
      p->postponed |= signal_bit(signal);
    else
      end(p, signal);
    break;
  }
}

static void notify(struct process *p, int signal) {
  p->pending |= signal_bit(signal);
  sys_notify(p->program.endpoint, PROC_SIGNALLED);
  ending_interrupt_wait(p);
}

void signals_deliver(struct process *p, int signal) {
  uint64_t bit = signal_bit(signal);
  if (p->caught & bit) notify(p, signal);
  if (signal == SIGCONT)
    go_on(p);
  else if (!((p->caught | p->ignored) & bit))
    act(p, signal);
}

/* ---- PROC_KILL ---- */

static bool may_signal(const struct caller *c, const struct process *p) {
  return c->user == ROOT || c->user == p->user;
}

/* kill() of POSIX. Those whose parent does not know them yet are no one's to signal but of their
 * group. */
static bool is_meant(const struct caller *c, const struct process *p, int32_t pid) {
  if (pid > 0) return p->pid == pid;
  if (pid == -1) return p != c->process;
  int32_t group = pid == 0 ? c->process->group : -pid;
  return p->group == group && process_is_alive(p);
}

/* @return 0, -ESRCH: nobody is meant, -EPERM: none of those may be */
static int kill_all(const struct caller *c, int32_t pid, int signal) {
  struct process *p = process_after(0);
  bool self = false;
  int result = -ESRCH;
  for (int32_t at; p; p = process_after(at)) {
    at = p->pid;
    if (!is_meant(c, p, pid)) continue;
    if (!may_signal(c, p)) {
      if (result == -ESRCH) result = -EPERM;
      continue;
    }
    result = 0;
    self |= p == c->process;
    if (p != c->process && signal && process_is_alive(p)) signals_deliver(p, signal);
  }
  /* Last: what it asks for is answered before it ends. */
  if (self && signal) signals_deliver(c->process, signal);
  return result;
}

void signals_kill(const msg_t *m) {
  const struct caller c = caller_of(m);
  const struct proc_kill *r = IPC(m, proc_kill);
  int status;
  if (r->signal < 0 || r->signal > SIGNALS_MAX || r->pid == INT32_MIN)
    status = -EINVAL;
  else if (r->pid == PROCESS_ORPHANAGE)
    status = r->signal ? -EPERM : 0;
  else if (r->pid == 0 && !c.process)
    status = -ESRCH; /* a component has no group */
  else
    status = kill_all(&c, r->pid, r->signal);
  answer_status(m, status);
}

/* ---- what a process does with them ---- */

void signals_set(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  const struct proc_signals *r = IPC(m, proc_signals);
  const uint64_t fixed = signal_bit(SIGKILL) | signal_bit(SIGSTOP);
  int status = !p                                                           ? -ESRCH
               : (r->caught | r->ignored) & fixed || r->caught & r->ignored ? -EINVAL
                                                                            : 0;
  if (!status) {
    p->caught = r->caught;
    p->ignored = r->ignored;
    p->pending &= p->caught;
    p->postponed &= ~(p->caught | p->ignored);
  }
  answer_status(m, status);
}

void signals_take(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  msg_t answer = {.type = m->type, .status = p ? 0 : -ESRCH};
  if (p) {
    IPC_REPLY(&answer, proc_take)->signals = p->pending;
    p->pending = 0;
  }
  sys_reply(m->token, &answer);
}
