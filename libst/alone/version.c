#include "libst/alone/version.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libst/alone/signals.h"
#include "libst/alone/supervisor.h"

static int by_number(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

void close_others(int *keep, size_t count) {
  unsigned from = 3;
  qsort(keep, count, sizeof(*keep), by_number);
  for (size_t i = 0; i < count; i++) {
    if (keep[i] < 3) continue;
    if ((unsigned)keep[i] > from) close_range(from, (unsigned)keep[i] - 1, 0);
    from = (unsigned)keep[i] + 1;
  }
  close_range(from, ~0u, 0);
}

pid_t version_fork(struct version *out, int *channel) {
  int pair[2];
  pid_t supervisor = getpid();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(EXIT_FAILURE);
    close(pair[0]);
    *channel = pair[1];
    return 0;
  }
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    return -1;
  }
  /* A version that does not read must not hold its supervisor up. */
  fcntl(pair[0], F_SETFL, O_NONBLOCK);
  *out = (struct version){.pid = pid, .channel = pair[0], .exe = -1};
  return pid;
}

/* Makes a descriptor one that the executed program has, out of the way of those that it opens. */
static int keep(int fd) {
  if (fd < 0) return fd;
  int kept = fcntl(fd, F_DUPFD, 600);
  if (kept >= 0) return kept;
  fcntl(fd, F_SETFD, 0);
  return fd;
}

int version_execute(const struct start_kit *kit, int exe, int channel, int old_exe, int state) {
  char text[96];
  int length = snprintf(text, sizeof(text), "%d:%d:%d:%d", (int)getpid(), keep(channel),
                        keep(kit->page), keep(kit->wake));
  if (state >= 0)
    snprintf(text + length, sizeof(text) - (size_t)length, ":%d:%d", keep(old_exe), keep(state));
  if (setenv(ST_START, text, 1) < 0) return errno;
  if (exe < 0)
    execvp(kit->argv[0], kit->argv);
  else
    fexecve(exe, kit->argv, environ);
  return errno;
}

/* ---- the next version ---- */

static void take_limits(pid_t from) {
  for (int r = 0; r < RLIM_NLIMITS; r++) {
    struct rlimit limit;
    if (prlimit(from, r, NULL, &limit) == 0) setrlimit(r, &limit);
  }
  cpu_set_t cpus;
  if (sched_getaffinity(from, sizeof(cpus), &cpus) == 0) sched_setaffinity(0, sizeof(cpus), &cpus);
  errno = 0;
  int nice = getpriority(PRIO_PROCESS, (id_t)from);
  if (errno == 0) setpriority(PRIO_PROCESS, 0, nice);
}

/* A session or group of its own is taken for granted by a program that made one. */
static void take_group(pid_t from) {
  if (getsid(from) == from)
    setsid();
  else if (getpgid(from) == from)
    setpgid(0, 0);
}

static void take_process(const struct message *m) {
  const Proteos__Process *p = m->m->process;
  size_t next = 0;
  for (int fd = 0; fd < 3; fd++)
    if (!(p->stdio >> fd & 1))
      close(fd);
    else if (next < m->fd_count)
      dup2(m->fds[next++], fd);
  if (p->directory && next < m->fd_count && fchdir(m->fds[next]) < 0) perror("libst: fchdir");
  umask((mode_t)p->umask);
}

static __attribute__((noreturn)) void be_next(const struct start_kit *kit,
                                              const struct version *current, int exe, int channel,
                                              int state, const struct message *process) {
  char text[128];
  take_process(process);
  take_limits(current->pid);
  take_group(current->pid);
  /* What is sent to the group meanwhile is for the old version; see process_drop_signals(). */
  signals_block_all();
  int err = version_execute(kit, exe, channel, current->exe, state);
  snprintf(text, sizeof(text), "it cannot be executed: %s", strerror(err));
  message_say(channel, PROTEOS__ALONE_KIND__ALONE_PLANNED, 0, -err, text);
  _exit(EXIT_FAILURE);
}

int version_start_next(const struct start_kit *kit, const struct version *current,
                       struct version *next, int state, struct message *process) {
  int channel, exe = next->exe;
  pid_t pid = version_fork(next, &channel);
  if (pid == 0) {
    signals_restore();
    be_next(kit, current, exe, channel, state, process);
  }
  if (pid < 0) return -errno;
  next->exe = exe;
  return 0;
}

void version_kill(struct version *v) {
  if (v->pid > 0) {
    kill(v->pid, SIGKILL);
    while (waitpid(v->pid, NULL, __WALL) < 0 && errno == EINTR)
      ;
  }
  if (v->channel >= 0) close(v->channel);
  if (v->exe >= 0) close(v->exe);
  *v = (struct version){.channel = -1, .exe = -1};
}

/* ---- what must be alike ---- */

static const char *const alike[] = {
    "Uid:", "Gid:", "Groups:", "CapPrm:", "CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:"};

/* The line of /proc/PID/status that begins with `key`, without its end. */
static void status_line(const char *pid, const char *key, char *out, size_t cap) {
  char path[64], line[512];
  snprintf(path, sizeof(path), "/proc/%s/status", pid);
  *out = 0;
  FILE *f = fopen(path, "re");
  while (f && !*out && fgets(line, sizeof(line), f))
    if (strncmp(line, key, strlen(key)) == 0)
      snprintf(out, cap, "%.*s", (int)strcspn(line, "\n"), line);
  if (f) fclose(f);
}

static bool same_file(const char *pid, const char *what) {
  char path[64], own[64];
  struct stat a, b;
  snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
  snprintf(own, sizeof(own), "/proc/self/%s", what);
  return stat(path, &a) == 0 && stat(own, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool version_differs(const struct version *v, char *text, size_t cap) {
  static const char *const files[] = {"root", "ns/mnt", "ns/net", "ns/user", "ns/ipc", "ns/uts"};
  char pid[16], theirs[512], own[512];
  snprintf(pid, sizeof(pid), "%d", (int)v->pid);
  for (unsigned i = 0; i < sizeof(alike) / sizeof(*alike); i++) {
    status_line(pid, alike[i], theirs, sizeof(theirs));
    status_line("self", alike[i], own, sizeof(own));
    if (strcmp(theirs, own) == 0) continue;
    snprintf(text, cap,
             "it has changed its privileges since it was started (%s instead of %s), and its next "
             "version would start with more; start st-run with those that it is to have",
             theirs, strchr(own, ':') ? strchr(own, ':') + 2 : own);
    return true;
  }
  for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++) {
    if (same_file(pid, files[i])) continue;
    snprintf(
        text, cap,
        "it has changed its %s since it was started; start st-run in the one that it is to have",
        strcmp(files[i], "root") == 0 ? "root directory" : "namespaces");
    return true;
  }
  pid_t group = getpgid(v->pid);
  if (group == getpgrp() || group == v->pid) return false;
  snprintf(text, cap, "it has joined process group %d", (int)group);
  return true;
}
