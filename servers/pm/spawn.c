#include "servers/pm/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/if/io.h"
#include "libsys/if/tty.h"
#include "servers/pm/caller.h"
#include "servers/pm/credentials.h"
#include "servers/pm/ending.h"
#include "servers/pm/groups.h"
#include "servers/pm/limit.h"
#include "servers/pm/request.h"
#include "servers/pm/signals.h"

/* What is to be done next, and whether its answer is awaited. */
enum step { STEP_CREDENTIALS, STEP_DIRECTORY, STEP_HANDLES, STEP_FOREGROUND, STEP_START };

struct spawn {
  uint64_t token;  /* of PROC_SPAWN; 0: answered */
  endpoint_t from; /* whose handles it inherits */
  enum step step;
  unsigned handles; /* that it has already */
  bool asking;      /* a server's answer is awaited */
  int error;        /* it is given up for that reason */
  bool foreground;
  uint32_t cwd, nfds, nenv;
  struct proc_fd fds[PROC_FDS_MAX];
  size_t env_bytes;
  char *env;
};

static uint32_t processes_per_user; /* 0: any number */
static bool waiting_for_calls;      /* somebody could not ask, for want of a call */

void spawn_init(uint32_t per_user) {
  processes_per_user = per_user;
}

void spawn_free(struct process *p) {
  if (!p->spawn) return;
  free(p->spawn->env);
  free(p->spawn);
  p->spawn = NULL;
}

/* A server's answer about it is awaited: its place is kept until then. */
static bool is_asking(const struct process *p) {
  return p->spawn && p->spawn->asking;
}

static void answer_parent(struct spawn *s, int status, int32_t pid) {
  msg_t answer = {.type = PROC_SPAWN, .status = status};
  IPC_REPLY(&answer, proc_spawn_program)->pid = pid;
  if (s->token) sys_reply(s->token, &answer);
  s->token = 0;
}

void spawn_abort(struct process *p, int error) {
  struct spawn *s = p->spawn;
  if (!s->error) s->error = error;
  answer_parent(s, s->error, 0);
  switch (p->phase) {
  case PROCESS_GATHERING:
    if (!s->asking) ending_without_run(p);
    break;
  case PROCESS_STARTING:
    kern_signal(p->program, SIGKILL);
    break;
  case PROCESS_RUNNING:
  case PROCESS_ENDED:
    break;
  }
}

/* ---- what it has ---- */

static int ask_for_handle(const struct process *p, endpoint_t server, uint32_t handle) {
  msg_t m = {.type = IO_DUPLICATE};
  *IPC(&m, io_duplicate) = (struct io_duplicate){
      {{.handle = handle, .from = p->spawn->from, .to = p->program.endpoint}}};
  int error = sys_call(server, &m, NULL, 0, (uint64_t)p->pid);
  return error == -EPERM ? -EBADF : error; /* no server of ours can have it */
}

static int ask_for_directory(const struct process *p) {
  endpoint_t storage = sys_lookup("storage");
  return storage < 0 ? -EBADF : ask_for_handle(p, storage, p->spawn->cwd);
}

static int ask_for_console(const struct process *p) {
  msg_t m = {.type = TTY_SET_GROUP};
  endpoint_t tty = sys_lookup("tty");
  if (tty < 0) return -EINVAL;
  IPC(&m, tty_set_group)->group = p->group;
  return sys_call(tty, &m, NULL, 0, (uint64_t)p->pid);
}

static int start(struct process *p) {
  int error = kern_start(p->program);
  if (error < 0) return error;
  p->phase = PROCESS_STARTING;
  p->started_us = sys_time_us();
  limits_look();
  return 0;
}

/* Asks for the next thing. @return 0: asked, or there is nothing to ask; -EAGAIN: not yet */
static int ask(struct process *p) {
  const struct spawn *s = p->spawn;
  int error;
  switch (s->step) {
  case STEP_CREDENTIALS:
    error = credentials_tell(p, (uint64_t)p->pid);
    break;
  case STEP_DIRECTORY:
    error = s->cwd ? ask_for_directory(p) : -ENOENT;
    break;
  case STEP_HANDLES:
    if (s->handles == s->nfds) return -ENOENT;
    error = ask_for_handle(p, s->fds[s->handles].server, s->fds[s->handles].handle);
    break;
  case STEP_FOREGROUND:
    error = s->foreground ? ask_for_console(p) : -ENOENT;
    break;
  default:
    return -EINVAL;
  }
  return error;
}

/* Goes on until an answer is awaited, or it runs, or cannot. */
static void advance(struct process *p) {
  struct spawn *s = p->spawn;
  for (; s->step < STEP_START; s->step++) {
    int error = ask(p);
    if (error == -ENOENT) continue; /* there is nothing to do */
    s->asking = error == 0;
    if (error == -EAGAIN) waiting_for_calls = true;
    if (error && error != -EAGAIN) spawn_abort(p, error);
    return;
  }
  int error = start(p);
  if (error) spawn_abort(p, error);
}

/* Those that could not ask try again: a call has been answered. */
static void advance_others(void) {
  if (!waiting_for_calls) return;
  waiting_for_calls = false;
  struct process *p = process_after(0);
  for (int32_t pid; p; p = process_after(pid)) {
    pid = p->pid;
    if (p->phase == PROCESS_GATHERING && !p->spawn->asking) advance(p);
  }
}

/* A server that has gone has lost the handle. Who the process is it is told when it is back. */
static int judge(const struct spawn *s, int status) {
  bool gone = status == -SYS_EDEADSRCDST || status == -SYS_ERESTARTED;
  if (!gone) return status;
  return s->step == STEP_CREDENTIALS ? 0 : -EBADF;
}

static void take_answer(struct spawn *s, const msg_t *m) {
  uint32_t handle = IPC_REPLY(m, io_duplicate)->handle;
  switch (s->step) {
  case STEP_DIRECTORY:
    s->cwd = handle;
    s->step++;
    break;
  case STEP_HANDLES:
    s->fds[s->handles++].handle = handle;
    break;
  case STEP_CREDENTIALS:
  case STEP_FOREGROUND:
  case STEP_START:
    s->step++;
    break;
  }
}

static void answered(struct process *p, const msg_t *m) {
  struct spawn *s = p->spawn;
  s->asking = false;
  if (s->error) {
    spawn_abort(p, s->error);
    return;
  }
  int error = judge(s, m->status);
  if (error) {
    spawn_abort(p, error);
    return;
  }
  take_answer(s, m);
  advance(p);
}

void spawn_answered(const msg_t *m) {
  struct process *p = process_by_pid((int32_t)m->cookie);
  if (p && is_asking(p)) answered(p, m);
  credentials_tell_on();
  advance_others();
}

/* ---- PROC_SPAWN ---- */

static int check_rights(const struct caller *c, const struct proc_spawn *h) {
  bool other_user = h->user != PROC_SAME_USER && h->user != c->user;
  bool other_gid = h->gid != PROC_SAME_USER && h->gid != c->gid;
  if ((other_user || other_gid) && c->user != ROOT) return -EPERM;
  if (h->group < PROC_SAME_GROUP) return -EINVAL;
  return h->group > 0 && !groups_may_join(c, h->group) ? -EPERM : 0;
}

static bool is_too_many(const struct caller *c) {
  if (!limits_allow_child(c->process)) return true;
  return c->user != ROOT && processes_per_user &&
         process_count_of_user(c->user) >= processes_per_user;
}

static int32_t choose_group(const struct caller *c, const struct process *p, int32_t wanted) {
  if (wanted == PROC_SAME_GROUP && c->process) return c->process->group;
  return wanted > 0 ? wanted : p->pid;
}

static void set_name(struct process *p, const char *program) {
  const char *slash = strrchr(program, '/');
  strncpy(p->name, slash ? slash + 1 : program, PROC_NAME_MAX);
}

static void identify(struct process *p, const struct caller *c, const struct proc_spawn *h) {
  p->parent = c->pid;
  p->user = h->user == PROC_SAME_USER ? c->user : h->user;
  p->gid = h->gid == PROC_SAME_USER ? c->gid : h->gid;
  p->group = choose_group(c, p, h->group);
  if (c->process) p->limits = c->process->limits;
}

static struct spawn *prepare(const msg_t *m, const struct spawn_request *r) {
  struct spawn *s = calloc(1, sizeof(*s));
  if (!s) return NULL;
  s->env = malloc(r->env_bytes + 1);
  if (!s->env) {
    free(s);
    return NULL;
  }
  s->token = m->token;
  s->from = m->source;
  s->foreground = r->head.foreground;
  s->cwd = r->head.cwd;
  s->nfds = r->head.nfds;
  s->nenv = r->head.nenv;
  s->env_bytes = r->env_bytes;
  memcpy(s->fds, r->fds, s->nfds * sizeof(s->fds[0]));
  memcpy(s->env, r->env, s->env_bytes);
  return s;
}

/* What the bus says, as POSIX would. */
static int error_of_file(int error) {
  switch (error) {
  case -ENOEXEC:
  case -EPERM:
    return -EACCES;
  case -ENOTDIR:
  case -ELOOP:
  case -ENAMETOOLONG:
    return -ENOENT;
  default:
    return error;
  }
}

static int spawn(const msg_t *m, const struct caller *c, const struct spawn_request *r) {
  struct process *p = process_new();
  if (!p) return -EAGAIN;
  p->spawn = prepare(m, r);
  int error = p->spawn ? kern_spawn(r->strings, r->program_bytes, &p->program) : -ENOMEM;
  if (error) {
    spawn_free(p);
    process_free(p);
    return error_of_file(error);
  }
  identify(p, c, &r->head);
  set_name(p, r->strings);
  p->started_us = sys_time_us();
  advance(p);
  return 0;
}

void spawn_request(const msg_t *m, const void *payload) {
  struct caller c = caller_of(m);
  struct spawn_request r;
  int error = request_parse(payload, m->payload, &r);
  if (!error) error = check_rights(&c, &r.head);
  if (!error && is_too_many(&c)) error = -EAGAIN;
  if (!error) error = spawn(m, &c, &r);
  if (error) answer_status(m, error);
}

/* ---- PROC_BEGIN ---- */

static char *put(char *at, const void *what, size_t bytes) {
  memcpy(at, what, bytes);
  return at + bytes;
}

static void tell_itself(const struct process *p, const msg_t *m) {
  static char payload[SYS_PAYLOAD_MAX]; /* of the answer; what came had as much */
  const struct spawn *s = p->spawn;
  const struct proc_start head = {.pid = p->pid,
                                  .parent = p->parent,
                                  .group = p->group,
                                  .user = p->user,
                                  .gid = p->gid,
                                  .cwd = s->cwd,
                                  .nfds = s->nfds,
                                  .nenv = s->nenv};
  _Static_assert(sizeof(head) <= sizeof(struct proc_spawn), "the answer is no longer");
  char *end = put(payload, &head, sizeof(head));
  end = put(end, s->fds, s->nfds * sizeof(s->fds[0]));
  end = put(end, s->env, s->env_bytes);
  const msg_t answer = {.type = PROC_BEGIN};
  sys_reply_bulk(m->token, &answer, payload, (size_t)(end - payload));
}

static void runs(struct process *p) {
  p->phase = PROCESS_RUNNING;
  answer_parent(p->spawn, 0, p->pid);
  spawn_free(p);
  if (p->stopped) signals_tell_parent(p);
}

void spawn_begin(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  if (!p || p->phase != PROCESS_STARTING || p->spawn->error) {
    answer_status(m, p ? -EINVAL : -ESRCH);
    return;
  }
  if (p->stopped) kern_signal(p->program, SIGSTOP); /* it finds the answer when it goes on */
  tell_itself(p, m);
  runs(p);
}

void spawn_has_begun(struct process *p) {
  if (p->spawn->error) return;
  if (p->stopped) kern_signal(p->program, SIGSTOP);
  runs(p);
}
