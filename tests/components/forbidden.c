/* Tries what a component must not do and logs each attempt's errno: "WHEN WHAT: ERRNO".
 *
 * WHEN is `early` before sys_startup(), where only the loader's confinement holds, and `late`
 * after it; with an argument, only that attempt. The log must show no "allowed". */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bus/abi.h"
#include "libsys/sys.h"

static int result(long rc) {
  return rc < 0 ? errno : 0;
}

static int open_file(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int open_write(void) {
  return open_file("/tmp/proteos-forbidden", O_WRONLY | O_CREAT);
}

static int open_foreign(void) {
  return open_file("/etc/passwd", O_RDONLY);
}

static int make_socket(void) {
  return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int make_process(void) {
  pid_t pid = (pid_t)syscall(SYS_fork);
  if (pid == 0) _exit(0);
  return result(pid);
}

static int trace_parent(void) {
  return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int parent_memory_file(void) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
  return open_file(path, O_RDONLY);
}

static int parent_memory_call(void) {
  char byte;
  struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
  return result(process_vm_readv(getppid(), &local, 1, &remote, 1, 0));
}

static int signal_parent(void) {
  return result(kill(getppid(), 0));
}

static int run_shell(void) {
  char *argv[] = {"sh", "-c", "true", NULL};
  return result(execve("/bin/sh", argv, NULL));
}

static int change_mode(void) {
  return result(syscall(SYS_fchmodat, AT_FDCWD, "/tmp", 0777));
}

static const struct attempt {
  const char *what;
  int (*try)(void);
} attempts[] = {
    {"open-write", open_write},
    {"open-foreign", open_foreign},
    {"socket", make_socket},
    {"fork", make_process},
    {"ptrace", trace_parent},
    {"parent-memory-file", parent_memory_file},
    {"parent-memory-call", parent_memory_call},
    {"kill-parent", signal_parent},
    {"exec", run_shell},
    {"chmod", change_mode},
};
#define ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

static int early[ATTEMPTS];

static const char *only; /* argument: try just this one */

static bool chosen(unsigned i) {
  return !only || strcmp(only, attempts[i].what) == 0;
}

static void try_all(int *errors) {
  for (unsigned i = 0; i < ATTEMPTS; i++)
    errors[i] = chosen(i) ? attempts[i].try() : 0;
}

static void print_all(const char *when, const int *errors) {
  for (unsigned i = 0; i < ATTEMPTS; i++)
    if (chosen(i))
      sys_log("%s %s: %s", when, attempts[i].what,
              errors[i] ? strerrorname_np(errors[i]) : "allowed");
}

static bool confined;

/* Unconfined, the attempts would stop whoever started this. */
__attribute__((constructor)) static void before_startup(void) {
  confined = prctl(PR_GET_SECCOMP) != 0;
  if (confined) try_all(early);
}

/* Past libsys's own check: busd must refuse it too. */
static int raw_send(endpoint_t dst) {
  struct {
    struct bus_packet head;
    struct bus_op op;
  } packet = {{BUS_ABI_VERSION, 1}, {.code = BUS_OP_SENDREC, .dst = dst}};
  packet.op.m.type = 0xf00;
  struct bus_delivery d = {0};
  if (write(BUS_FD_CHANNEL, &packet, sizeof(packet)) < 0) return errno;
  if (read(BUS_FD_CHANNEL, &d, sizeof(d)) < (ssize_t)sizeof(d)) return EPROTO;
  return -d.error;
}

static void try_bus(endpoint_t stranger) {
  msg_t m = {.type = 0xf00};
  int error = -sys_sendrec(stranger, &m);
  sys_log("late send: %s", error ? strerrorname_np(error) : "allowed");
  error = -sys_notify(stranger, 1);
  sys_log("late notify: %s", error ? strerrorname_np(error) : "allowed");
  error = raw_send(stranger);
  sys_log("late raw-send: %s", error ? strerrorname_np(error) : "allowed");
}

int main(int argc, char **argv) {
  if (argc > 1) only = argv[1];
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  if (confined)
    print_all("early", early);
  else
    sys_log("early: not confined by the loader");
  int late[ATTEMPTS];
  try_all(late);
  print_all("late", late);
  try_bus(1); /* the first in the manifest, to which this one has no edge */
  sys_log("done");
  while (1) {
    msg_t m;
    sys_receive(&m);
  }
}
