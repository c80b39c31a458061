/* Build tool: prints the tight system call filter as a C array, and the names of system calls.
 *
 * All components share one filter, so it is compiled once, at build time; libsys only puts the few
 * rules before it that depend on the process. */
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/filter.h>

/* What an event-driven component needs once it is connected. Nothing that opens, connects, forks,
 * signals others or makes memory executable. */
static const char *const allowed[] = {
    "sendmsg",
    "recvmsg",
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "sendto",
    "recvfrom",
    "futex",
    "madvise",
    "munmap",
    "mremap",
    "brk",
    "msync",
    "mincore",
    "getdents64", /* of a folder that is open already */
    "close",
    "fstat",
    "lseek",
    "ftruncate",
    "fallocate",
    "dup",
    "dup2",
    "dup3",
    "memfd_create",
    "eventfd2",
    "shutdown",
    "getsockopt",
    "setsockopt",
    "poll",
    "ppoll",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrandom",
    "sched_yield",
    "getcpu",
    "getrusage",
    "times",
    "uname",
    "sysinfo",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "membarrier",
    "exit",
    "exit_group",
    "fsync",
    "fdatasync",
    "sync_file_range",
};

static void check(int rc, const char *what) {
  if (rc >= 0) return;
  fprintf(stderr, "sandbox-gen: %s: error %d\n", what, -rc);
  exit(EXIT_FAILURE);
}

static void add_rules(scmp_filter_ctx ctx) {
  unsigned n = sizeof(allowed) / sizeof(allowed[0]);
  for (unsigned i = 0; i < n; i++) {
    int nr = seccomp_syscall_resolve_name(allowed[i]);
    if (nr < 0) continue; /* this architecture has no such call */
    check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0), allowed[i]);
  }
  check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)),
        "mmap");
  check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)),
        "mprotect");
  /* Only to shut others out. */
  check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
                         SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE, 0), SCMP_A1(SCMP_CMP_EQ, 0, 0)),
        "prctl");
  /* fstat() by way of newfstatat(fd, "", AT_EMPTY_PATH). */
  check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                         SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000, 0x1000)),
        "newfstatat");
  check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, TCGETS, 0)),
        "ioctl");
  check(
      seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0)),
      "ioctl");
}

/* Not F_SETOWN: with it a component could have signals sent to others. */
static void add_fcntl(scmp_filter_ctx ctx) {
  static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                 F_GETFL, F_SETFL,         F_ADD_SEALS, F_GET_SEALS};
  for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
    check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                           SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0)),
          "fcntl");
}

static void print_program(scmp_filter_ctx ctx) {
  int fd = memfd_create("bpf", 0);
  check(seccomp_export_bpf(ctx, fd), "export");
  off_t bytes = lseek(fd, 0, SEEK_END);
  struct sock_filter *f = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (f == MAP_FAILED) exit(EXIT_FAILURE);
  printf("static const struct sock_filter sandbox_tight[] = {\n");
  for (size_t i = 0; i < (size_t)bytes / sizeof(*f); i++)
    printf("    {%#x, %u, %u, %#x},\n", f[i].code, f[i].jt, f[i].jf, f[i].k);
  printf("};\n\n");
}

static void print_names(void) {
  printf("static const char *const sandbox_names[] = {\n");
  for (int nr = 0; nr < 512; nr++) {
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
    if (name) printf("    [%d] = \"%s\",\n", nr, name);
    free(name);
  }
  printf("};\n");
}

int main(void) {
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
  if (!ctx) return EXIT_FAILURE;
  check(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "bad arch");
  /* A binary tree: fewer steps for the kernel, which tries all calls when it installs the filter.
   */
  check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
  add_rules(ctx);
  add_fcntl(ctx);
  print_program(ctx);
  print_names();
  seccomp_release(ctx);
  return EXIT_SUCCESS;
}
