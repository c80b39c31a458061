#include "servers/pm/ending.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "servers/pm/caller.h"
#include "servers/pm/list.h"
#include "servers/pm/signals.h"
#include "servers/pm/spawn.h"

enum { COMPONENT_WAITS_MAX = 16 };

/* ---- components ---- */

/* Components that wait for a process, each of which must be named; there are no zombies for them.
 * Who waits too late is told -ECHILD. */
static struct wait waits[COMPONENT_WAITS_MAX];

static void answer_components(int32_t pid, int status) {
  for (unsigned i = 0; i < COMPONENT_WAITS_MAX; i++) {
    if (!waits[i].token || waits[i].pid != pid) continue;
    msg_t answer = {.type = PROC_WAIT};
    IPC_REPLY(&answer, proc_wait)->pid = pid;
    IPC_REPLY(&answer, proc_wait)->status = (uint32_t)status;
    sys_reply(waits[i].token, &answer);
    waits[i].token = 0;
  }
}

/* @return 0, and it is answered later, or a negative error */
static int wait_of_component(const msg_t *m) {
  const struct proc_wait *r = IPC(m, proc_wait);
  const struct process *p = process_by_pid(r->pid);
  if (r->flags) return -EINVAL;
  if (!p || p->parent != PROCESS_ORPHANAGE) return -ECHILD;
  for (unsigned i = 0; i < COMPONENT_WAITS_MAX; i++) {
    if (waits[i].token) continue;
    waits[i] = (struct wait){.token = m->token, .pid = r->pid};
    return 0;
  }
  return -EAGAIN;
}

/* ---- zombies and orphans ---- */

static void forget(struct process *p) {
  answer_components(p->pid, p->status);
  spawn_free(p);
  process_free(p);
}

/* Nobody waits for those: their parent has ended, or does not want to know. */
static bool is_unwanted(const struct process *p) {
  const struct process *parent = process_by_pid(p->parent);
  return !parent || !process_is_alive(parent) || parent->ignored & signal_bit(SIGCHLD);
}

static void leave_children(int32_t parent) {
  struct process *p = process_after(0);
  for (int32_t pid; p; p = process_after(pid)) {
    pid = p->pid;
    if (p->parent != parent) continue;
    p->parent = PROCESS_ORPHANAGE;
    if (!process_is_alive(p)) forget(p);
  }
}

/* Handles of one that has ended cannot be inherited any more. */
static void abort_spawns(int32_t parent) {
  struct process *p = process_after(0);
  for (int32_t pid; p; p = process_after(pid)) {
    pid = p->pid;
    if (p->parent == parent && p->phase == PROCESS_GATHERING) spawn_abort(p, -ECHILD);
  }
}

static void become_zombie(struct process *p, int status) {
  abort_spawns(p->pid);
  p->phase = PROCESS_ENDED;
  p->program = (struct kern_program){0};
  p->status = status;
  p->wait.token = 0;
  p->news = NEWS_NONE;
  leave_children(p->pid);
  int32_t pid = p->parent;
  bool unwanted = is_unwanted(p);
  if (!unwanted) signals_tell_parent(p);
  if (unwanted) forget(p);
  struct process *parent = process_by_pid(pid);
  if (unwanted && parent && process_is_alive(parent)) ending_look(parent);
}

/* ---- the end of a program ---- */

/* The bus knows only SIGKILL. */
static int true_status(const struct process *p, int status) {
  bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return killed && p->end_signal ? p->end_signal : status;
}

void ending_without_run(struct process *p) {
  kern_reap(p->program);
  forget(p);
}

static void never_began(struct process *p, bool ran) {
  abort_spawns(p->pid);
  leave_children(p->pid); /* it need not begin to have some */
  spawn_abort(p, ran ? -ECHILD : -EACCES);
  forget(p);
}

static struct process *find(endpoint_t endpoint, uint32_t incarnation) {
  struct process *p = process_by_endpoint(endpoint);
  return p && p->program.incarnation == incarnation ? p : NULL;
}

/* It was started, and has begun if a version of ours has answered it: another one, if this one does
 * not know. */
static void learn(struct process *p, bool answered) {
  if (p->phase == PROCESS_GATHERING) p->phase = PROCESS_STARTING;
  if (p->phase == PROCESS_STARTING && answered) spawn_has_begun(p);
}

void ending_program_ended(const msg_t *m) {
  const struct kern_program program = {m->i32[0], m->u32[1]};
  struct process *p = find(program.endpoint, program.incarnation);
  kern_reap(program);
  if (!p) return;
  p->cpu_us = m->u64[2];
  learn(p, m->u32[3]);
  if (p->phase == PROCESS_STARTING)
    never_began(p, m->payload == 0);
  else
    become_zombie(p, true_status(p, m->i32[2]));
}

static void clear(const struct kern_place *place) {
  const struct kern_program program = {place->endpoint, place->incarnation};
  if (place->state == KERN_PLACE_STARTED)
    kern_signal(program, SIGKILL); /* its place is given back when it has ended */
  else
    kern_reap(program);
}

void ending_all(void) {
  struct kern_place places[KERN_PLACES_MAX];
  int n = kern_places(places);
  for (int i = 0; i < n; i++)
    clear(&places[i]);
}

/* ---- what another version has done ---- */

static const struct kern_place *place_of(const struct process *p, const struct kern_place *places,
                                         int n) {
  for (int i = 0; i < n; i++)
    if (places[i].endpoint == p->program.endpoint &&
        places[i].incarnation == p->program.incarnation)
      return &places[i];
  return NULL;
}

/* One that has begun knows its handles, and is ours as it is. One that has yet to begin would be
 * told of handles that the other version got, which are not known here.
 * @param place  NULL: it is not there any more */
static void compare(struct process *p, const struct kern_place *place) {
  bool ended = !place || place->state == KERN_PLACE_ENDED;
  bool was_started = place && place->state == KERN_PLACE_STARTED;
  bool lacks_handles = p->phase == PROCESS_GATHERING && was_started;
  if (ended) kern_reap(p->program);
  if (ended || was_started) learn(p, place && place->answered);
  if (ended && p->phase == PROCESS_STARTING)
    never_began(p, true);
  else if (ended)
    become_zombie(p, place ? true_status(p, place->wait_status) : SIGKILL);
  else if (lacks_handles && p->phase == PROCESS_STARTING)
    spawn_abort(p, -ECHILD);
}

void ending_look_again(void) {
  struct kern_place places[KERN_PLACES_MAX];
  int n = kern_places(places);
  if (n < 0) return;
  for (int i = 0; i < n; i++)
    if (!find(places[i].endpoint, places[i].incarnation)) clear(&places[i]);
  struct process *p = process_after(0);
  for (int32_t pid; p; p = process_after(pid)) {
    pid = p->pid;
    if (p->program.endpoint) compare(p, place_of(p, places, n));
  }
}

/* ---- PROC_WAIT ---- */

static bool is_meant(const struct process *parent, const struct process *child) {
  int32_t pid = parent->wait.pid;
  if (child->parent != parent->pid) return false;
  if (pid > 0) return child->pid == pid;
  if (pid == -1) return true;
  return child->group == (pid == 0 ? parent->group : -pid);
}

static bool has_news(const struct process *parent, const struct process *child) {
  if (child->spawn) return false; /* nobody knows it yet */
  if (!process_is_alive(child)) return true;
  if (child->news == NEWS_STOPPED) return parent->wait.flags & PROC_STOPPED;
  return child->news == NEWS_CONTINUED && parent->wait.flags & PROC_CONTINUED;
}

static void answer_wait(struct process *parent, int error, int32_t pid, int status) {
  msg_t answer = {.type = PROC_WAIT, .status = error};
  IPC_REPLY(&answer, proc_wait)->pid = pid;
  IPC_REPLY(&answer, proc_wait)->status = (uint32_t)status;
  sys_reply(parent->wait.token, &answer);
  parent->wait.token = 0;
}

#define STATUS_CONTINUED 0xffff /* as Linux has it */

static int news_status(const struct process *child) {
  if (!process_is_alive(child)) return child->status;
  return child->news == NEWS_STOPPED ? W_STOPCODE(child->stop_signal) : STATUS_CONTINUED;
}

static void tell(struct process *parent, struct process *child) {
  answer_wait(parent, 0, child->pid, news_status(child));
  child->news = NEWS_NONE;
  if (!process_is_alive(child)) forget(child);
}

void ending_look(struct process *parent) {
  struct process *child;
  bool any = false;
  if (!parent->wait.token) return;
  TAILQ_FOREACH (child, &processes, link) {
    if (!is_meant(parent, child)) continue;
    any = true;
    if (!has_news(parent, child)) continue;
    tell(parent, child);
    return;
  }
  if (!any)
    answer_wait(parent, -ECHILD, 0, 0);
  else if (parent->wait.flags & PROC_NO_HANG)
    answer_wait(parent, 0, 0, 0);
}

void ending_interrupt_wait(struct process *p) {
  if (p->wait.token) answer_wait(p, -EINTR, 0, 0);
}

void ending_wait(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  const struct proc_wait *r = IPC(m, proc_wait);
  if (!p) {
    int refused = wait_of_component(m);
    if (refused) answer_status(m, refused);
    return;
  }
  int error = p->wait.token ? -EAGAIN : 0;
  if (r->flags & ~(uint32_t)(PROC_NO_HANG | PROC_STOPPED | PROC_CONTINUED)) error = -EINVAL;
  if (r->pid == INT32_MIN) error = -EINVAL; /* no group has that number */
  if (error) {
    answer_status(m, error);
    return;
  }
  p->wait = (struct wait){m->token, r->pid, r->flags};
  ending_look(p);
  if (p->pending) ending_interrupt_wait(p); /* which it has yet to hear of */
}
