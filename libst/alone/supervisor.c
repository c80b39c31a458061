#include "libst/alone/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libst/alone/address.h"
#include "libst/alone/alone.h"
#include "libst/alone/signals.h"
#include "libst/alone/transaction.h"

static struct program program = {
    .current = {.channel = -1, .exe = -1},
    .update = {.client = -1, .state = -1, .next = {.channel = -1, .exe = -1}},
};
static int listener = -1, signals = -1;

enum { TURN_AWAY_MS = 100 };

/* ---- the end ---- */

/* Ends as the program ended. */
static __attribute__((noreturn)) void end_like(int status) {
  version_kill(&program.update.next);
  if (WIFSIGNALED(status)) {
    int number = WTERMSIG(status);
    sigset_t only;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0}); /* there is a core of the program already */
    sigemptyset(&only);
    sigaddset(&only, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The shell looks at the supervisor: it stops with the program, and both go on together. */
static void stop_along(int number) {
  if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU) return;
  raise(SIGSTOP);
  kill(program.current.pid, SIGCONT);
}

/* ---- the loop ---- */

static void accept_client(void) {
  struct transaction *t = &program.update;
  int client = address_accept(listener);
  if (client < 0) return;
  if (t->phase != PHASE_NONE) {
    /* Closed with its request unread, it would not get the answer. */
    struct message request;
    poll(&(struct pollfd){.fd = client, .events = POLLIN}, 1, TURN_AWAY_MS);
    if (message_receive(client, &request) == 0) message_free(&request);
    message_say(client, PROTEOS__ALONE_KIND__ALONE_DONE, 0, -EBUSY, "another update is running");
    close(client);
    return;
  }
  if (t->client >= 0) close(t->client); /* it has not asked for anything */
  t->client = client;
}

static void read_version(struct version *v, void (*take)(struct program *, struct message *)) {
  struct message in;
  int err;
  int channel = v->channel;
  while (v->channel == channel && (err = message_receive(channel, &in)) == 0) {
    take(&program, &in);
    message_free(&in);
  }
}

static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL)) > 0;) {
    struct version *v = pid == program.current.pid       ? &program.current
                        : pid == program.update.next.pid ? &program.update.next
                                                         : NULL;
    if (!v) continue; /* an old version, after commit */
    v->stopped = WIFSTOPPED(status);
    if (v->stopped && v == &program.current) stop_along(WSTOPSIG(status));
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) continue;
    if (v == &program.current) end_like(status);
    v->pid = 0;
    /* What was said before counts. */
    read_version(&program.current, transaction_current);
    read_version(v, transaction_next);
    if (v->channel >= 0) transaction_next_ended(&program, status);
  }
}

/* A version that has closed its channel has ended, or never speaks again. */
static short interest(const struct version *v) {
  return v->channel >= 0 ? POLLIN : 0;
}

static __attribute__((noreturn)) void supervise(void) {
  bool closed[2] = {false, false};
  int seen[2] = {-1, -1};
  for (;;) {
    struct transaction *t = &program.update;
    struct version *versions[2] = {&program.current, &t->next};
    struct pollfd p[5] = {{.fd = signals, .events = POLLIN},
                          {.fd = listener, .events = POLLIN},
                          {.fd = t->client, .events = POLLIN}};
    for (int i = 0; i < 2; i++) {
      if (versions[i]->channel != seen[i]) closed[i] = false;
      seen[i] = versions[i]->channel;
      p[3 + i] = (struct pollfd){.fd = closed[i] ? -1 : seen[i], .events = interest(versions[i])};
    }
    poll(p, 5, transaction_tick(&program));
    for (int i = 0; i < 2; i++)
      closed[i] |= (p[3 + i].revents & POLLHUP) && !(p[3 + i].revents & POLLIN);
    /* What a version said before it ended comes first. */
    if (p[3].revents & POLLIN) read_version(&program.current, transaction_current);
    if (p[4].revents & POLLIN) read_version(&t->next, transaction_next);
    if ((p[0].revents & POLLIN) &&
        signals_read(signals, transaction_frozen(&program) ? 0 : program.current.pid))
      reap();
    if (p[2].revents && t->client == p[2].fd) transaction_client(&program);
    if (p[1].revents & POLLIN) accept_client();
  }
}

/* ---- the start ---- */

static int prepare(char **argv) {
  struct start_kit *kit = &program.kit;
  kit->argv = argv;
  kit->page = memfd_create("st-attention", MFD_CLOEXEC);
  kit->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (kit->page < 0 || kit->wake < 0 || ftruncate(kit->page, sizeof(struct attention)) < 0)
    return -errno;
  void *page =
      mmap(NULL, sizeof(struct attention), PROT_READ | PROT_WRITE, MAP_SHARED, kit->page, 0);
  if (page == MAP_FAILED) return -errno;
  kit->attention = page;
  listener = address_listen();
  if (listener < 0) return listener;
  signals = signals_take();
  return signals < 0 ? signals : 0;
}

static void undo(void) {
  if (program.kit.attention) munmap(program.kit.attention, sizeof(struct attention));
  int fds[] = {program.kit.page, program.kit.wake, listener, signals};
  for (unsigned i = 0; i < sizeof(fds) / sizeof(*fds); i++)
    if (fds[i] > 0) close(fds[i]);
  listener = signals = -1;
}

/* Lets go of all that is the program's: whoever waits for the end of a pipe waits for the program
 * only. */
static __attribute__((noreturn)) void be_supervisor(void) {
  int keep[] = {program.kit.page, program.kit.wake, listener, signals, program.current.channel};
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; nothing >= 0 && fd < 3; fd++)
    dup2(nothing, fd);
  close_others(keep, sizeof(keep) / sizeof(*keep));
  supervise();
}

/* Threads that constructors made would stay behind in the supervisor. */
static bool has_threads(void) {
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
}

bool supervise_self(char **argv, int *channel, int *page, int *wake) {
  if (has_threads()) {
    fprintf(stderr, "libst: %s cannot be updated: it has threads before st_startup()\n", argv[0]);
    return false;
  }
  int err = prepare(argv);
  pid_t pid = err ? -1 : version_fork(&program.current, channel);
  if (pid > 0) be_supervisor();
  if (!err) signals_restore();
  if (pid < 0) {
    fprintf(stderr, "libst: %s cannot be updated: %s\n", argv[0], strerror(err ? -err : errno));
    undo();
    return false;
  }
  close(listener);
  close(signals);
  munmap(program.kit.attention, sizeof(struct attention));
  *page = program.kit.page;
  *wake = program.kit.wake;
  return true;
}

int st_supervise(char **argv) {
  int channel, err = prepare(argv);
  pid_t pid = err ? -1 : version_fork(&program.current, &channel);
  if (pid > 0) be_supervisor();
  if (pid == 0) {
    signals_restore();
    err = -version_execute(&program.kit, -1, channel, -1, -1);
  }
  fprintf(stderr, "st-run: %s: %s\n", argv[0], strerror(err ? -err : errno));
  return err == -ENOENT ? 127 : 126;
}
