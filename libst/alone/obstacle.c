/* What belongs to a process and not to its memory or its descriptors, and ends with it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libst/alone/alone.h"

enum { TIMER_IDS = 65536 };

/* The first of the numbers in a file of /proc; 0 when there is none. */
static int first_number(const char *path) {
  char text[64] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof(text) - 1);
  close(fd);
  return got > 0 ? atoi(text) : 0;
}

static bool threads(char *text, size_t cap) {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink <= 3) return false;
  snprintf(text, cap, "it has %u threads; an update carries over the state of one",
           (unsigned)tasks.st_nlink - 2);
  return true;
}

static bool children(char *text, size_t cap) {
  siginfo_t info;
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0) return false;
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
  int child = first_number(path);
  if (!child) child = info.si_pid;
  snprintf(text, cap, "it has a child (process %d), which would lose its parent", child);
  return true;
}

static bool posix_timers(char *text, size_t cap, bool thorough) {
  char line[64];
  int id = -1;
  FILE *f = fopen("/proc/self/timers", "re");
  if (f) {
    if (fgets(line, sizeof(line), f) && sscanf(line, "ID: %d", &id) != 1) id = -1;
    fclose(f);
  } else if (thorough) {
    struct itimerspec unused;
    for (int i = 0; id < 0 && i < TIMER_IDS; i++)
      if (syscall(SYS_timer_gettime, i, &unused) == 0) id = i;
  }
  if (id < 0) return false;
  snprintf(text, cap, "it has a POSIX timer (timer_create(), id %d); use timerfd_create()", id);
  return true;
}

static bool interval_timers(char *text, size_t cap) {
  static const char *const names[] = {"ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"};
  for (int which = 0; which < 3; which++) {
    struct itimerval now;
    if (getitimer(which, &now) < 0 || (now.it_value.tv_sec | now.it_value.tv_usec) == 0) continue;
    snprintf(text, cap,
             "it has an interval timer (%s, setitimer() or alarm()); use timerfd_create()",
             names[which]);
    return true;
  }
  return false;
}

/* What the locked file is called, by a descriptor that is open on it. */
static void name_file(unsigned long inode, char *out, size_t cap) {
  snprintf(out, cap, "inode %lu", inode);
  for (int fd = 0; fd < 1024; fd++) {
    struct stat st;
    char link[64];
    if (fstat(fd, &st) < 0 || st.st_ino != inode) continue;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, cap - 1);
    if (length > 0) out[length] = 0;
    return;
  }
}

/* /proc/locks: "1: POSIX  ADVISORY  WRITE 4321 fe:01:1234 0 EOF" */
static bool record_locks(char *text, size_t cap) {
  char line[256], kind[16], name[256];
  unsigned long inode;
  int pid;
  bool found = false;
  FILE *f = fopen("/proc/locks", "re");
  while (f && !found && fgets(line, sizeof(line), f))
    found = sscanf(line, "%*s %15s %*s %*s %d %*x:%*x:%lu", kind, &pid, &inode) == 3 &&
            strcmp(kind, "POSIX") == 0 && pid == getpid();
  if (f) fclose(f);
  if (!found) return false;
  name_file(inode, name, sizeof(name));
  snprintf(
      text, cap,
      "it holds a POSIX record lock (fcntl(), lockf()) on %s, which ends with the process; use "
      "flock() or F_OFD_SETLK",
      name);
  return true;
}

bool stream_find(char *text, size_t cap) {
  fflush(NULL);
  /* What a pipe gave cannot be put back. */
  size_t unread = (size_t)(stdin->_IO_read_end - stdin->_IO_read_ptr);
  size_t unwritten = __fpending(stdout) + __fpending(stderr);
  if (unread)
    snprintf(text, cap, "stdin's buffer holds %zu bytes that it has not read; use read()", unread);
  else if (unwritten)
    snprintf(text, cap, "its output cannot be written (%zu bytes wait in stdout or stderr)",
             unwritten);
  return unread || unwritten;
}

bool obstacle_find(bool thorough, char *text, size_t cap) {
  return threads(text, cap) || children(text, cap) || posix_timers(text, cap, thorough) ||
         interval_timers(text, cap) || record_locks(text, cap);
}
