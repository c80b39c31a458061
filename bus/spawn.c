#include "bus/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/affinity.h"
#include "bus/background.h"
#include "bus/loader_proto.h"
#include "bus/sandbox.h"

struct failure {
  int error;
  const char *step; /* a literal: the same address in parent and child */
};

static int park(int fd) {
  return fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_SLOTS_END);
}

/* Puts each descriptor under its number and marks all others to be closed by exec. */
static int place_fds(const struct spawn *s) {
  int parked[LOADER_FDS_MAX], log = park(s->log_fd);
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || null < 0) return -errno;
  for (unsigned i = 0; i < s->nfds; i++)
    if ((parked[i] = park(s->fds[i])) < 0) return -errno;
  if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
    return -errno;
  if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0) return -errno;
  for (unsigned i = 0; i < s->nfds; i++)
    if (dup2(parked[i], s->fd_slots[i]) < 0) return -errno;
  return 0;
}

static void reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
}

static int become(const struct spawn *s, pid_t parent, int exe, const char **step) {
  static char *const no_environment[] = {NULL};
  int error;
  *step = "its parent's death";
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return -errno;
  if (getppid() != parent) return -ESRCH;
  reset_signals();
  *step = "its CPU";
  if (s->cpus && (error = affinity_set(0, s->cpus)) < 0) return error;
  if (s->flags & LOADER_BACKGROUND) background_set(0, true);
  *step = "its session";
  if (s->flags & LOADER_APART && setsid() < 0) return -errno;
  *step = "its descriptors";
  if ((error = place_fds(s)) < 0) return error;
  if (s->flags & LOADER_CONFINE) {
    *step = "sandbox: required, but this kernel has no Landlock";
    if (s->flags & LOADER_REQUIRE_LANDLOCK && !sandbox_has_landlock()) return -ENOSYS;
    if ((error = sandbox_enter(exe, step)) < 0) return error;
  } else {
    *step = "no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
  }
  *step = "exec";
  syscall(SYS_execveat, exe, "", s->argv, no_environment, AT_EMPTY_PATH);
  return -errno;
}

static void child(const struct spawn *s, pid_t parent, int report) {
  struct failure f = {.step = "descriptors"};
  int parked_report = park(report), exe = park(s->exe_fd);
  f.error = parked_report < 0 || exe < 0 ? -errno : become(s, parent, exe, &f.step);
  ssize_t n = write(parked_report < 0 ? report : parked_report, &f, sizeof(f));
  _exit(n == sizeof(f) ? 127 : 126);
}

pid_t spawn(const struct spawn *s, int *report) {
  int ends[2];
  for (unsigned i = 0; i < s->nfds; i++)
    if (s->fd_slots[i] <= STDERR_FILENO || s->fd_slots[i] >= SPAWN_SLOTS_END) return -EINVAL;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) child(s, parent, ends[1]);
  int error = pid < 0 ? -errno : 0;
  close(ends[1]);
  if (error) close(ends[0]);
  *report = ends[0];
  return error ? error : pid;
}

bool spawn_failure(int report, char *text, size_t cap) {
  struct failure f;
  if (read(report, &f, sizeof(f)) != sizeof(f)) return false;
  snprintf(text, cap, "%s: %s", f.step, strerror(-f.error));
  return true;
}
