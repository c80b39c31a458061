/* What a process is besides its memory and its descriptors from 3 on: carried over as it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libst/alone/alone.h"
#include "libst/import.h"

enum { SIGNALS = 64, NAME_BYTES = 16 };

/* Wakes the program by its mere arrival. */
static void wake(int number) {
  (void)number;
}

void process_wake_by_signal(void) {
  struct sigaction now;
  /* A program that handles the signal itself is woken all the same. */
  if (sigaction(SIGURG, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
    sigaction(SIGURG, &(struct sigaction){.sa_handler = wake}, NULL);
}

static uint64_t bits_of(const sigset_t *set) {
  uint64_t bits = 0;
  for (int n = 1; n <= SIGNALS; n++)
    if (sigismember(set, n) == 1) bits |= 1ull << (n - 1);
  return bits;
}

static sigset_t set_of(uint64_t bits) {
  sigset_t set;
  sigemptyset(&set);
  for (int n = 1; n <= SIGNALS; n++)
    if (bits >> (n - 1) & 1) sigaddset(&set, n);
  return set;
}

static void capture_actions(Proteos__Process *p) {
  p->actions = calloc(SIGNALS, sizeof(*p->actions));
  for (int n = 1; p->actions && n <= SIGNALS; n++) {
    struct sigaction now;
    if (sigaction(n, NULL, &now) < 0 || now.sa_handler == SIG_DFL || now.sa_handler == wake)
      continue;
    Proteos__Action *a = malloc(sizeof(*a));
    if (!a) return;
    proteos__action__init(a);
    a->signal = (uint32_t)n;
    a->handler = (uint64_t)(uintptr_t)now.sa_handler;
    a->flags = (uint32_t)now.sa_flags;
    a->mask = bits_of(&now.sa_mask);
    p->actions[p->n_actions++] = a;
  }
}

/* The mask that the program had: while this runs, all are blocked. */
static sigset_t blocked_before;

void process_hold_signals(bool hold) {
  sigset_t all;
  sigfillset(&all);
  if (hold)
    sigprocmask(SIG_BLOCK, &all, &blocked_before);
  else
    sigprocmask(SIG_SETMASK, &blocked_before, NULL);
}

void process_drop_signals(void) {
  for (int n = 1; n <= SIGNALS; n++) {
    struct sigaction before;
    if (sigaction(n, &(struct sigaction){.sa_handler = SIG_IGN}, &before) == 0)
      sigaction(n, &before, NULL);
  }
}

Proteos__Process *process_capture(int *fds, size_t *count) {
  Proteos__Process *p = malloc(sizeof(*p));
  char *name = malloc(NAME_BYTES);
  *count = 0;
  if (!p || !name) {
    free(p);
    free(name);
    return NULL;
  }
  proteos__process__init(p);
  for (int fd = 0; fd < 3; fd++) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    p->stdio |= 1u << fd;
    fds[(*count)++] = fd;
  }
  int directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  p->directory = directory >= 0;
  if (p->directory) fds[(*count)++] = directory;
  mode_t mask = umask(0);
  umask(mask);
  p->umask = mask;
  prctl(PR_GET_NAME, name);
  p->name = name;
  sigset_t pending;
  sigpending(&pending);
  p->pending = bits_of(&pending);
  p->blocked = bits_of(&blocked_before);
  capture_actions(p);
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE)) {
    p->stack = (uint64_t)(uintptr_t)stack.ss_sp;
    p->stack_bytes = stack.ss_size;
  }
  p->update_fd = alone.update_fd;
  p->makes_signalfds = alone.makes_signalfds;
  return p;
}

void process_free(Proteos__Process *p) {
  if (p) proteos__process__free_unpacked(p, NULL);
}

int process_follow(Proteos__Process *p) {
  bool good = true;
  for (size_t i = 0; i < p->n_actions; i++) {
    Proteos__Action *a = p->actions[i];
    char name[64];
    snprintf(name, sizeof(name), "handler of signal %u", a->signal);
    good &= import_pointer(&a->handler, name);
  }
  return import_pointer(&p->stack, "alternate signal stack") && good ? 0 : -EINVAL;
}

static void take_actions(const Proteos__Process *p) {
  for (int n = 1; n <= SIGNALS; n++) {
    struct sigaction now;
    if (n == SIGURG && sigaction(n, NULL, &now) == 0 && now.sa_handler == wake) continue;
    sigaction(n, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  }
  for (size_t i = 0; i < p->n_actions; i++) {
    const Proteos__Action *a = p->actions[i];
    struct sigaction action = {.sa_flags = (int)a->flags, .sa_mask = set_of(a->mask)};
    action.sa_handler = (void (*)(int))(uintptr_t)a->handler;
    sigaction((int)a->signal, &action, NULL);
  }
}

void process_become(struct message *in) {
  const Proteos__Process *p = in->m->process;
  size_t next = 0;
  for (int fd = 0; fd < 3; fd++) {
    int from = p->stdio >> fd & 1 ? message_take_fd(in, next++) : -1;
    if (from >= 0) {
      dup2(from, fd);
      close(from);
    } else {
      close(fd);
    }
  }
  int directory = p->directory ? message_take_fd(in, next) : -1;
  if (directory >= 0) {
    if (fchdir(directory) < 0) chdir("/");
    close(directory);
  }
  umask((mode_t)p->umask);
  prctl(PR_SET_NAME, p->name);
  if (p->stack) {
    stack_t stack = {.ss_sp = (void *)(uintptr_t)p->stack, .ss_size = p->stack_bytes};
    sigaltstack(&stack, NULL);
  }
  take_actions(p);
  /* Sent again while they are blocked: they are delivered as if they had waited. */
  for (int n = 1; n <= SIGNALS; n++)
    if (p->pending >> (n - 1) & 1) kill(getpid(), n);
  sigset_t blocked = set_of(p->blocked);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
}
