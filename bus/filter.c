#include "bus/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bus/denied.h"

/* abort() and fault handlers send signals to their own process, whose id is known only after the
 * fork: it replaces this value then. */
#define OWN_PID 0x7ac0ffee

static struct sock_filter *program;
static unsigned short program_len;

#define DENY SCMP_ACT_ERRNO(EPERM)

static int deny_listed(scmp_filter_ctx ctx) {
  for (size_t i = 0; denied_calls[i]; i++) {
    int number = seccomp_syscall_resolve_name(denied_calls[i]);
    if (number < 0) continue;
    int error = seccomp_rule_add(ctx, DENY, number, 0);
    if (error) return error;
  }
  return 0;
}

/* Opens that write, create or truncate; `arg` is the position of the flags. */
static int deny_writing(scmp_filter_ctx ctx, int number, unsigned arg) {
  static const uint64_t flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
  for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
    int error = seccomp_rule_add(ctx, DENY, number, 1,
                                 SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    if (error) return error;
  }
  return 0;
}

static int deny_some(scmp_filter_ctx ctx) {
  int error = deny_writing(ctx, SCMP_SYS(open), 1);
  if (!error) error = deny_writing(ctx, SCMP_SYS(openat), 2);
  /* The loader's own exec, of a descriptor, comes after this filter. */
  if (!error)
    error = seccomp_rule_add(ctx, DENY, SCMP_SYS(execveat), 1,
                             SCMP_A4(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
  if (!error)
    error = seccomp_rule_add(ctx, DENY, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, OWN_PID, 0));
  /* Limits of others; a process of one's own id says 0. */
  if (!error)
    error = seccomp_rule_add(ctx, DENY, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0, 0));
  if (!error)
    error = seccomp_rule_add(ctx, DENY, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI));
  return error;
}

static int load_program(int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  program = malloc((size_t)st.st_size);
  if (!program) return -ENOMEM;
  if (pread(fd, program, (size_t)st.st_size, 0) != st.st_size) return -EIO;
  program_len = (unsigned short)((size_t)st.st_size / sizeof(*program));
  return 0;
}

int filter_compile(void) {
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
  if (!ctx) return -ENOMEM;
  int fd = memfd_create("filter", MFD_CLOEXEC);
  int error = fd < 0 ? -errno : 0;
  if (!error) error = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (!error) error = deny_listed(ctx);
  if (!error) error = deny_some(ctx);
  if (!error) error = seccomp_export_bpf(ctx, fd);
  if (!error) error = load_program(fd);
  if (fd >= 0) close(fd);
  seccomp_release(ctx);
  return error;
}

int filter_apply(void) {
  unsigned own_pid = (unsigned)getpid();
  for (unsigned i = 0; i < program_len; i++)
    if (program[i].k == OWN_PID) program[i].k = own_pid;
  struct sock_fprog prog = {.len = program_len, .filter = program};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0) return -errno;
  return 0;
}
