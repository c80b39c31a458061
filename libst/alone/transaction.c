#include "libst/alone/transaction.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libst/alone/alone.h"
#include "libst/alone/signals.h"

enum { NUDGE_MS = 20, TIMEOUT_MAX_MS = 3600 * 1000 };

uint64_t now_ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static const char *doing(enum phase phase) {
  switch (phase) {
  case PHASE_NONE:
  case PHASE_PREPARING:
  case PHASE_LOADING:
    return "while it was loaded";
  case PHASE_CONVERGING:
    return "while it waited for the old version";
  case PHASE_TRANSFERRING:
    return "during state transfer";
  }
  return "";
}

static void enter(struct transaction *t, enum phase phase) {
  t->phase = phase;
  t->deadline_ms = now_ms() + t->timeout_ms;
}

/* Wakes the program for a message, or for another look at its filter. */
static void nudge(struct program *p) {
  uint64_t one = 1;
  atomic_store(&p->kit.attention->wanted, 1);
  if (atomic_load(&p->kit.attention->by_signal))
    kill(p->current.pid, SIGURG);
  else if (write(p->kit.wake, &one, sizeof(one)) < 0)
    return; /* its counter is full: it is readable */
}

static int tell_current(struct program *p, Proteos__AloneKind kind) {
  int err = message_say(p->current.channel, kind, p->update.number, 0, "");
  nudge(p);
  return err;
}

static void tell_client(struct transaction *t, Proteos__AloneKind kind, int status,
                        const char *text) {
  if (t->client >= 0 && *text) message_say(t->client, kind, t->number, status, text);
}

static void answer(struct transaction *t, int status, const char *text) {
  tell_client(t, PROTEOS__ALONE_KIND__ALONE_DONE, status, text);
  if (t->client >= 0) close(t->client);
  t->client = -1;
}

static void forget(struct transaction *t) {
  if (t->state >= 0) close(t->state);
  t->state = -1;
  if (t->request) proteos__alone__free_unpacked(t->request, NULL);
  t->request = NULL;
  t->phase = PHASE_NONE;
}

/* Back to the old version, which is as it was. */
static void fail(struct program *p, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fail(struct program *p, int status, const char *format, ...) {
  struct transaction *t = &p->update;
  char *text;
  va_list args;
  version_kill(&t->next);
  tell_current(p, PROTEOS__ALONE_KIND__ALONE_THAW);
  signals_pass_kept(p->current.pid);
  va_start(args, format);
  int length = vasprintf(&text, format, args);
  va_end(args);
  answer(t, status, length < 0 ? "out of memory" : text);
  if (length >= 0) free(text);
  forget(t);
}

bool transaction_frozen(const struct program *p) {
  return p->update.phase == PHASE_TRANSFERRING;
}

/* ---- request ---- */

static int start(struct program *p, const Proteos__Alone *m) {
  struct transaction *t = &p->update;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  t->number++;
  t->state = pair[1];
  t->timeout_ms = m->timeout_ms && m->timeout_ms < TIMEOUT_MAX_MS ? m->timeout_ms : TIMEOUT_MAX_MS;
  Proteos__Alone prepare = PROTEOS__ALONE__INIT;
  prepare.kind = PROTEOS__ALONE_KIND__ALONE_PREPARE;
  prepare.update = t->number;
  prepare.filter = m->filter;
  int err = message_send(p->current.channel, &prepare, &pair[0], 1);
  close(pair[0]);
  nudge(p);
  enter(t, PHASE_PREPARING);
  return err;
}

/* Why a request is refused before anything happens, or NULL. */
static const char *reason(const struct program *p, const Proteos__Alone *m, char *text,
                          size_t cap) {
  if (m->pid != (uint32_t)getpid() && m->pid != (uint32_t)p->current.pid)
    return "the process is not the program, but one that it started";
  if (p->unable) return p->unable;
  if (!p->component) return "it has not called st_startup()";
  if (strcmp(m->component, p->component) != 0) {
    snprintf(text, cap, "the new executable is one of `%s`, the program is `%s`", m->component,
             p->component);
    return text;
  }
  return version_differs(&p->current, text, cap) ? text : NULL;
}

static void request(struct program *p, struct message *in) {
  struct transaction *t = &p->update;
  char text[1200];
  const char *why = reason(p, in->m, text, sizeof(text));
  int exe = why ? -1 : message_take_fd(in, 0);
  if (why || exe < 0) {
    answer(t, -EINVAL, why ? why : "there is no executable");
    return;
  }
  t->next = (struct version){.channel = -1, .exe = exe};
  t->request = in->m;
  in->m = NULL;
  int err = start(p, t->request);
  if (err) fail(p, err, "the program does not read its messages: %s", strerror(-err));
}

void transaction_client(struct program *p) {
  struct transaction *t = &p->update;
  struct message in;
  int err = message_receive(t->client, &in);
  if (err == -EAGAIN) return;
  if (err || t->phase != PHASE_NONE || in.m->kind != PROTEOS__ALONE_KIND__ALONE_REQUEST) {
    close(t->client);
    t->client = -1;
    if (t->phase != PHASE_NONE) fail(p, -ECANCELED, "st-update went away");
  } else {
    request(p, &in);
  }
  if (!err) message_free(&in);
}

/* ---- the old version ---- */

static void hello(struct program *p, struct message *in) {
  if (p->component || p->unable) return;
  if (in->m->status)
    p->unable = strdup(in->m->text);
  else
    p->component = strdup(in->m->component);
  p->current.exe = message_take_fd(in, 0);
}

static void prepared(struct program *p, struct message *in) {
  struct transaction *t = &p->update;
  if (in->m->status || !in->m->process) {
    fail(p, -EINVAL, "%s", in->m->text);
    return;
  }
  int err = version_start_next(&p->kit, &p->current, &t->next, t->state, in);
  close(t->state);
  t->state = -1;
  Proteos__Alone plan = PROTEOS__ALONE__INIT;
  plan.kind = PROTEOS__ALONE_KIND__ALONE_PLAN;
  plan.update = t->number;
  plan.options = t->request->options;
  if (!err) err = message_send(t->next.channel, &plan, NULL, 0);
  /* A version that has ended is reported as such. */
  if (err && err != -EPIPE)
    fail(p, err, "the new version cannot be started: %s", strerror(-err));
  else
    enter(t, PHASE_LOADING);
}

static void frozen(struct program *p, struct message *in) {
  struct transaction *t = &p->update;
  if (in->m->status || !in->m->process) {
    fail(p, -EINVAL, "%s", in->m->text);
    return;
  }
  in->m->kind = PROTEOS__ALONE_KIND__ALONE_ADOPT;
  int err = message_send(t->next.channel, in->m, in->fds, in->fd_count);
  /* A version that has ended is reported as such. */
  if (err && err != -EPIPE)
    fail(p, err, "the new version does not read its messages: %s", strerror(-err));
  else
    enter(t, PHASE_TRANSFERRING);
}

void transaction_current(struct program *p, struct message *in) {
  const struct transaction *t = &p->update;
  if (in->m->kind == PROTEOS__ALONE_KIND__ALONE_HELLO) {
    hello(p, in);
    return;
  }
  /* Answers to an update that is off come late. */
  if (t->phase == PHASE_NONE || in->m->update != t->number) return;
  if (in->m->kind == PROTEOS__ALONE_KIND__ALONE_PREPARED && t->phase == PHASE_PREPARING)
    prepared(p, in);
  else if (in->m->kind == PROTEOS__ALONE_KIND__ALONE_FROZEN && t->phase == PHASE_CONVERGING)
    frozen(p, in);
}

/* ---- the new version ---- */

/* A stopped process would take over and serve nobody. */
static bool is_stopped(const struct version *v) {
  siginfo_t info = {0};
  return v->stopped || (waitid(P_PID, (id_t)v->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
                        info.si_pid != 0);
}

static void commit(struct program *p) {
  struct transaction *t = &p->update;
  if (is_stopped(&t->next)) {
    fail(p, -ECANCELED, "the new version was stopped");
    return;
  }
  /* From here on there is only the new version: the old one, which waits in the kernel, never runs
   * again. It is reaped later. */
  kill(p->current.pid, SIGKILL);
  close(p->current.channel);
  if (p->current.exe >= 0) close(p->current.exe);
  p->current = t->next;
  t->next = (struct version){.channel = -1, .exe = -1};
  message_say(p->current.channel, PROTEOS__ALONE_KIND__ALONE_LIVE, t->number, 0, "");
  signals_pass_kept(p->current.pid);
  answer(t, 0, "done");
  forget(t);
}

void transaction_next(struct program *p, struct message *in) {
  struct transaction *t = &p->update;
  Proteos__AloneKind kind = in->m->kind;
  if (in->m->status) {
    fail(p, -EINVAL, "%s", in->m->text);
    return;
  }
  tell_client(t, PROTEOS__ALONE_KIND__ALONE_PROGRESS, 0, in->m->text);
  if (kind == PROTEOS__ALONE_KIND__ALONE_PLANNED && t->phase == PHASE_LOADING) {
    enter(t, PHASE_CONVERGING);
    int err = tell_current(p, PROTEOS__ALONE_KIND__ALONE_CONVERGE);
    if (err) fail(p, err, "the program does not read its messages: %s", strerror(-err));
  } else if (kind == PROTEOS__ALONE_KIND__ALONE_TRANSFERRED && t->phase == PHASE_TRANSFERRING) {
    commit(p);
  }
}

void transaction_next_ended(struct program *p, int status) {
  const struct transaction *t = &p->update;
  if (WIFSIGNALED(status))
    fail(p, -ECANCELED, "the new version crashed %s (signal %d)", doing(t->phase),
         WTERMSIG(status));
  else
    fail(p, -ECANCELED, "the new version ended %s (exit status %d)", doing(t->phase),
         WEXITSTATUS(status));
}

/* ---- time ---- */

static void time_out(struct program *p) {
  const struct transaction *t = &p->update;
  const char *filter = t->request->filter;
  switch (t->phase) {
  case PHASE_NONE:
    break;
  case PHASE_PREPARING:
    fail(p, -ETIMEDOUT, "the program did not come to st_update_point() within %u ms",
         t->timeout_ms);
    break;
  case PHASE_CONVERGING:
    fail(p, -ETIMEDOUT, "the program did not reach state quiescence (%s%s%s) within %u ms",
         *filter ? "'" : "st_update_point()", filter, *filter ? "'" : "", t->timeout_ms);
    break;
  case PHASE_LOADING:
  case PHASE_TRANSFERRING:
    fail(p, -ETIMEDOUT, "the new version hung %s: no answer within %u ms", doing(t->phase),
         t->timeout_ms);
    break;
  }
}

int transaction_tick(struct program *p) {
  struct transaction *t = &p->update;
  if (t->phase == PHASE_NONE) return -1;
  uint64_t now = now_ms();
  if (now >= t->deadline_ms) {
    time_out(p);
    return -1;
  }
  /* A signal may come just before the program begins to wait: it is sent until it has helped. */
  bool waits = t->phase == PHASE_PREPARING || t->phase == PHASE_CONVERGING;
  if (waits && atomic_load(&p->kit.attention->by_signal)) {
    kill(p->current.pid, SIGURG);
    return NUDGE_MS;
  }
  return (int)(t->deadline_ms - now);
}
