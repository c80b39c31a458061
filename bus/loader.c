/* loader: parent of every process of an instance, and the only one that forks. It starts busd, then
 * what busd asks for; reports exits; holds the commit record, and by it replaces busd itself. When
 * busd dies, or when it is told to, it ends everything and leaves nothing running.
 *
 *   loader INSTANCE MANIFEST RUNTIME-DIRECTORY [--faults]
 *
 * prctl boot starts it in a session of its own, with standard error on log/instance.log, the
 * instance's lock as descriptor 3, which it holds until nothing is left of the instance, and
 * LOADER_BOOT_FD, which it hands on to busd. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bus/affinity.h"
#include "bus/background.h"
#include "bus/child.h"
#include "bus/fdpass.h"
#include "bus/handover.h"
#include "bus/loader_proto.h"
#include "bus/record.h"
#include "bus/sandbox.h"
#include "bus/spawn.h"
#include "libst/fault.h"

enum phase {
  PHASE_RUNNING,
  PHASE_ENDING, /* everything is killed; waits until it has ended */
};

enum {
  LOOK_MS = 100 /* while it waits: a debugger is told of the end of what it holds in our stead */
};

static enum phase phase = PHASE_RUNNING;
static int exit_status;
static int channel = -1; /* to busd */
static struct record record;
static struct handover handover;
static const char *runtime_dir;
static int faults = -1; /* the page of faults, where there is one */

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void say(const char *text) {
  char line[512];
  time_t now = time(NULL);
  struct tm tm;
  size_t n = strftime(line, sizeof(line), "%F %T ", localtime_r(&now, &tm));
  n += (size_t)snprintf(line + n, sizeof(line) - n, "loader: %s\n", text);
  ssize_t written = write(STDERR_FILENO, line, n < sizeof(line) ? n : sizeof(line));
  (void)written; /* there is nowhere else to say it */
}

static void end_everything(int status) {
  if (phase == PHASE_ENDING) return;
  phase = PHASE_ENDING;
  exit_status = status;
  child_kill_all(SIGKILL);
}

static void tell_now(const struct loader_msg *m, const char *text) {
  struct iovec iov[2] = {{(void *)(uintptr_t)m, sizeof(*m)},
                         {(void *)(uintptr_t)text, text ? strlen(text) + 1 : 0}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  bool failed = phase == PHASE_RUNNING && sendmsg(channel, &msg, MSG_NOSIGNAL) < 0;
  if (failed && errno != EPIPE) /* then it is going; its exit is reported soon */
    say("busd cannot be reached");
}

static void tell(const struct loader_msg *m, const char *text) {
  if (handover.state != HANDOVER_HOLDING)
    tell_now(m, text);
  else if (handover_keep(&handover, m, text) < 0)
    say("out of memory: busd does not hear of what has happened");
}

static void tell_held(void) {
  struct held *held;
  while ((held = handover_take(&handover))) {
    tell_now(&held->m, held->text);
    held_free(held);
  }
}

/* ---- requests of busd ---- */

/* Cuts `n` strings out of `text`. @return false when they are not all there */
static bool split(char *text, size_t bytes, char **argv, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    size_t len = strnlen(text, bytes);
    if (len == bytes) return false;
    argv[i] = text;
    text += len + 1;
    bytes -= len + 1;
  }
  argv[n] = NULL;
  return true;
}

/* @param channel_fd  a descriptor that the process gets as LOADER_CHANNEL_FD; -1: none */
static pid_t do_spawn(const struct loader_msg *m, char *strings, size_t bytes, const int *fds,
                      unsigned nfds, int channel_fd, int *report) {
  char *argv[LOADER_ARGS_MAX + 1];
  int given[LOADER_FDS_MAX], slots[LOADER_FDS_MAX];
  if (m->spawn.nfds >= LOADER_FDS_MAX || nfds != m->spawn.nfds + 2) return -EINVAL;
  if (m->spawn.nargs == 0 || m->spawn.nargs > LOADER_ARGS_MAX) return -EINVAL;
  if (!split(strings, bytes, argv, m->spawn.nargs)) return -EINVAL;
  memcpy(given, fds + 2, m->spawn.nfds * sizeof(int));
  memcpy(slots, m->spawn.fds, m->spawn.nfds * sizeof(int));
  given[m->spawn.nfds] = channel_fd;
  slots[m->spawn.nfds] = LOADER_CHANNEL_FD;
  struct spawn s = {.exe_fd = fds[0],
                    .log_fd = fds[1],
                    .argv = argv,
                    .fds = given,
                    .fd_slots = slots,
                    .nfds = m->spawn.nfds + (channel_fd >= 0 ? 1 : 0),
                    .cpus = m->spawn.cpus,
                    .flags = m->spawn.flags};
  int error = st_fault("loader.spawn", EAGAIN);
  return error ? error : spawn(&s, report);
}

static bool is_next_busd(uint32_t id) {
  return id >= LOADER_NEXT_IDS && id < LOADER_HELPER_IDS;
}

static pid_t spawn_busd(const struct loader_msg *m, char *strings, size_t bytes, const int *fds,
                        unsigned nfds, int *report) {
  int pair[2];
  if (handover.state == HANDOVER_HOLDING) return -EBUSY;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  pid_t pid = do_spawn(m, strings, bytes, fds, nfds, pair[1], report);
  close(pair[1]);
  if (pid > 0)
    handover_begin(&handover, m->id, pair[0]);
  else
    close(pair[0]);
  return pid;
}

static void spawn_requested(const struct loader_msg *m, char *strings, size_t bytes, const int *fds,
                            unsigned nfds) {
  struct loader_msg answer = {.type = LOADER_SPAWNED, .id = m->id};
  int report;
  pid_t pid = is_next_busd(m->id) ? spawn_busd(m, strings, bytes, fds, nfds, &report)
                                  : do_spawn(m, strings, bytes, fds, nfds, -1, &report);
  if (pid > 0 && child_add(m->id, pid, report) < 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(report);
    pid = -ENOMEM;
  }
  answer.spawned.pid = pid > 0 ? pid : 0;
  answer.spawned.error = pid > 0 ? 0 : pid;
  st_pass("loader.spawned");
  tell(&answer, NULL);
}

static void reap(void);
static bool read_channel(void);

static void refuse(const struct loader_msg *commit, int status) {
  struct loader_msg refused = *commit;
  refused.type = LOADER_REFUSED;
  refused.commit.status = status;
  tell(&refused, NULL);
}

static void commit_requested(const struct loader_msg *m) {
  reap(); /* a member that has just died must not be committed to */
  if (!st_fault("loader.decide", ECANCELED) && record_commit(&record, m, now_us())) {
    st_pass("loader.decided");
    tell(&record.activate, NULL);
  } else {
    refuse(m, -ECANCELED);
  }
}

/* ---- the update of busd ---- */

static void hold_requested(const struct loader_msg *m) {
  struct loader_msg held = {.type = LOADER_HELD};
  if (handover.state != HANDOVER_LOADED || handover.id != m->id) {
    refuse(m, -ECHILD);
    return;
  }
  st_pass("loader.hold");
  tell_now(&held, NULL);
  handover.state = HANDOVER_HOLDING;
  handover.order = *m;
}

/* The old busd goes on as if nothing had happened. */
static void give_back(int status) {
  struct loader_msg thaw = {.type = LOADER_THAW, .id = handover.id};
  struct child *next = child_by_id(handover.id);
  st_pass("loader.give_back");
  if (next) kill(next->pid, SIGKILL);
  tell_now(&thaw, NULL);
  handover_end(&handover);
  tell_held();
  refuse(&handover.order, status);
}

/* Two busds never live at the same time. */
static void end_old_busd(void) {
  struct child *old = child_by_id(LOADER_COMPONENT_NO);
  if (!old) return;
  kill(old->pid, SIGKILL);
  waitpid(old->pid, NULL, 0);
  child_remove(old);
}

static void take_over(void) {
  st_pass("loader.take_over");
  end_old_busd();
  while (read_channel()) /* what it asked for before it was held */
    ;
  st_pass("loader.replaced");
  child_by_id(handover.id)->id = LOADER_COMPONENT_NO;
  close(channel);
  channel = handover.channel;
  handover.channel = -1;
  handover_end(&handover);
  tell(&record.activate, NULL);
  tell_held();
}

static void next_commits(const struct loader_msg *m) {
  reap();
  if (phase != PHASE_RUNNING || handover.state != HANDOVER_HOLDING) return; /* one has just died */
  bool ordered = m->commit.txid == handover.order.commit.txid;
  if (ordered && !st_fault("loader.replace", ECANCELED) &&
      record_commit(&record, &handover.order, now_us()))
    take_over();
  else
    give_back(-ECANCELED);
}

static void next_says(const struct loader_msg *m, const char *text) {
  struct loader_msg report = *m;
  report.id = handover.id;
  switch (m->type) {
  case LOADER_REPORT:
    tell(&report, text);
    if (m->report.status < 0 && handover.state == HANDOVER_HOLDING) give_back(m->report.status);
    break;
  case LOADER_COMMIT:
    next_commits(m);
    break;
  default:
    say("a new version of busd sent a message that it may not send");
    break;
  }
}

static void request(const struct loader_msg *m, char *strings, size_t bytes, const int *fds,
                    unsigned nfds) {
  struct child *c = child_by_id(m->id);
  switch ((enum loader_type)m->type) {
  case LOADER_SPAWN:
    spawn_requested(m, strings, bytes, fds, nfds);
    break;
  case LOADER_KILL:
    st_pass("loader.kill");
    if (c) kill(c->pid, m->kill.signal);
    break;
  case LOADER_PLACE:
    if (c) affinity_set(c->pid, m->place.cpus);
    if (c) background_set(c->pid, m->place.background);
    break;
  case LOADER_COMMIT:
    commit_requested(m);
    break;
  case LOADER_ACTIVATED:
    st_pass("loader.activated");
    record_acknowledge(&record, m->commit.txid);
    break;
  case LOADER_SHUTDOWN:
    end_everything(m->exit.status);
    break;
  case LOADER_HOLD:
    hold_requested(m);
    break;
  case LOADER_REPORT:
  case LOADER_HELD:
  case LOADER_THAW:
  case LOADER_SPAWNED:
  case LOADER_EXITED:
  case LOADER_ACTIVATE:
  case LOADER_REFUSED:
  case LOADER_TERM:
    say("busd sent a message that only the loader may send");
    break;
  }
}

static struct {
  struct loader_msg m;
  char strings[LOADER_STRINGS_MAX + 1];
} packet;

/* @return whether there was something to read */
static bool read_channel(void) {
  int fds[LOADER_FDS_MAX + 2];
  unsigned nfds = LOADER_FDS_MAX + 2;
  ssize_t n = fdpass_receive(channel, &packet, sizeof(packet), fds, &nfds);
  if (n >= (ssize_t)sizeof(packet.m))
    request(&packet.m, packet.strings, (size_t)n - sizeof(packet.m), fds, nfds);
  else if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR))
    shutdown(channel, SHUT_RDWR); /* busd is going; its exit is reported soon */
  fdpass_close(fds, nfds);
  return n > 0;
}

static void read_next(void) {
  unsigned nfds = 0;
  ssize_t n = fdpass_receive(handover.channel, &packet, sizeof(packet) - 1, NULL, &nfds);
  if (n == -EAGAIN || n == -EINTR) return;
  if (n < (ssize_t)sizeof(packet.m)) {
    /* It is going; its exit is reported soon. */
    close(handover.channel);
    handover.channel = -1;
    return;
  }
  packet.strings[(size_t)n - sizeof(packet.m)] = 0;
  next_says(&packet.m, packet.strings);
}

/* ---- exits ---- */

static void describe_end(int status, char *text, size_t cap) {
  if (WIFSIGNALED(status))
    snprintf(text, cap, "busd was killed by signal %d (%s): the instance ends", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  else
    snprintf(text, cap, "busd exited with status %d: the instance ends", WEXITSTATUS(status));
}

static void busd_exited(int status, const char *never_ran) {
  char text[128];
  if (phase != PHASE_RUNNING) return;
  describe_end(status, text, sizeof(text));
  if (never_ran) say(never_ran);
  say(text);
  end_everything(EXIT_FAILURE);
}

static uint64_t microseconds(struct timeval t) {
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec;
}

static void child_exited(pid_t pid, int status, const struct rusage *used) {
  struct child *c = child_by_pid(pid);
  if (!c) return;
  uint32_t id = c->id;
  char why[256];
  bool never_ran = spawn_failure(c->report, why, sizeof(why));
  child_remove(c);
  if (id == LOADER_COMPONENT_NO) {
    busd_exited(status, never_ran ? why : NULL);
    return;
  }
  uint64_t cpu_us = microseconds(used->ru_utime) + microseconds(used->ru_stime);
  struct loader_msg m = {.type = LOADER_EXITED, .id = id, .exited = {pid, status, cpu_us}};
  tell(&m, never_ran ? why : NULL);
  if (handover.state == HANDOVER_NONE || id != handover.id) return;
  if (handover.state == HANDOVER_HOLDING)
    give_back(-ECHILD);
  else
    handover_end(&handover);
}

static void reap(void) {
  struct rusage used;
  int status;
  pid_t pid;
  while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0)
    child_exited(pid, status, &used);
}

static void read_signals(int fd) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) continue;
    struct loader_msg m = {.type = LOADER_TERM};
    tell(&m, NULL);
  }
  reap();
}

/* ---- start and end ---- */

static int block_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void start_busd(char *instance, char *manifest) {
  char exe[PATH_MAX] = "", path[PATH_MAX + 8];
  int pair[2];
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) err(1, "/proc/self/exe");
  snprintf(path, sizeof(path), "%s/busd", dirname(exe));
  int exe_fd = open(path, O_RDONLY | O_CLOEXEC);
  if (exe_fd < 0) err(1, "%s", path);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) err(1, "socketpair");
  char *argv[] = {"busd", instance, manifest, (char *)(uintptr_t)runtime_dir, NULL};
  const int fds[] = {pair[1], LOADER_BOOT_FD, exe_fd, faults};
  const int slots[] = {LOADER_CHANNEL_FD, LOADER_BOOT_FD, LOADER_EXE_FD, LOADER_FAULT_FD};
  struct spawn s = {.exe_fd = exe_fd,
                    .log_fd = STDERR_FILENO,
                    .argv = argv,
                    .fds = fds,
                    .fd_slots = slots,
                    .nfds = faults < 0 ? 3 : 4};
  int report;
  pid_t pid = spawn(&s, &report);
  if (pid < 0) errx(1, "%s: %s", path, strerror(-pid));
  if (child_add(LOADER_COMPONENT_NO, pid, report) < 0) err(1, "busd");
  close(exe_fd);
  close(pair[1]);
  close(LOADER_BOOT_FD); /* its end tells prctl that the boot is over */
  channel = pair[0];
}

static void open_faults(void) {
  faults = st_fault_create();
  int error = faults < 0 ? faults : st_fault_attach(faults, "loader");
  if (error < 0) errx(1, "the page of faults cannot be made: %s", strerror(-error));
}

static int patience_ms(void) {
  if (phase == PHASE_ENDING) return LOOK_MS;
  if (record.state == RECORD_COMMITTED) return LOADER_RESEND_MS;
  return handover_patience_ms(&handover, now_us());
}

static void loop(int signals) {
  while (phase == PHASE_RUNNING || child_any_alive()) {
    bool running = phase == PHASE_RUNNING;
    struct pollfd p[3] = {{.fd = signals, .events = POLLIN},
                          {.fd = running ? channel : -1, .events = POLLIN},
                          {.fd = running ? handover.channel : -1, .events = POLLIN}};
    int n = poll(p, 3, patience_ms());
    if (n == 0 && record.state == RECORD_COMMITTED) tell(&record.activate, NULL);
    /* busd's requests first: it may have asked for the end of what has just exited. */
    if (n > 0 && p[1].revents & POLLIN) read_channel();
    if (n > 0 && p[1].revents & POLLHUP) {
      close(channel);
      channel = -1;
    }
    if (n > 0 && p[2].revents && handover.channel == p[2].fd) read_next();
    if (n > 0 && p[0].revents) read_signals(signals);
    if (handover_patience_ms(&handover, now_us()) == 0) give_back(-ETIMEDOUT);
  }
}

int main(int argc, char **argv) {
  bool with_faults = argc == 5 && strcmp(argv[4], "--faults") == 0;
  if (argc != 4 && !with_faults) errx(2, "started by prctl boot only");
  runtime_dir = argv[3];
  prctl(PR_SET_DUMPABLE, 0);
  int signals = block_signals();
  handover_init(&handover);
  int error = sandbox_prepare();
  if (error) errx(1, "the sandbox cannot be prepared: %s", strerror(-error));
  if (!sandbox_has_landlock())
    say("this kernel has no Landlock: components can read what this user can read");
  if (with_faults) open_faults();
  start_busd(argv[1], argv[2]);
  loop(signals);
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/control.sock", runtime_dir);
  unlink(path);
  return exit_status;
}
