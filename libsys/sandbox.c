#include "libsys/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "libsys/runtime.h"
#include "sandbox-tight.h"

#if !defined(__x86_64__)
#error "the sandbox's filter and its SIGSYS handler are written for x86-64"
#endif

#define SYSCALLS_MAX 512u
#define PREFIX_MAX   128u /* instructions before the shared filter */

static struct sock_filter program[PREFIX_MAX + sizeof(sandbox_tight) / sizeof(sandbox_tight[0])];
static unsigned length;
static enum bus_sandbox mode;

/* In trace mode the filter lets calls pass that come from here, so that the SIGSYS handler can
 * carry out what it has named. */
long sandbox_syscall(long nr, const greg_t *args);
extern const char sandbox_syscall_return[];
__asm__(".text\n"
        "sandbox_syscall:\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %r11\n"
        "  mov 0(%r11), %rdi\n"
        "  mov 8(%r11), %rsi\n"
        "  mov 16(%r11), %rdx\n"
        "  mov 24(%r11), %r10\n"
        "  mov 32(%r11), %r8\n"
        "  mov 40(%r11), %r9\n"
        "  syscall\n"
        "sandbox_syscall_return:\n"
        "  ret\n");

static const char *syscall_name(unsigned nr) {
  unsigned known = sizeof(sandbox_names) / sizeof(sandbox_names[0]);
  return nr < known && sandbox_names[nr] ? sandbox_names[nr] : "?";
}

static int syscall_number(const char *name) {
  for (unsigned nr = 0; nr < sizeof(sandbox_names) / sizeof(sandbox_names[0]); nr++)
    if (sandbox_names[nr] && strcmp(sandbox_names[nr], name) == 0) return (int)nr;
  return -1;
}

static void report_once(unsigned nr) {
  static bool reported[SYSCALLS_MAX];
  if (nr < SYSCALLS_MAX) {
    if (reported[nr]) return;
    reported[nr] = true;
  }
  if (mode == BUS_SANDBOX_TRACE)
    sys_log("system call %s (%u) is not in the sandbox's list; carried out because of "
            "trace-syscalls",
            syscall_name(nr), nr);
  else
    sys_log("system call %s (%u) refused by the sandbox", syscall_name(nr), nr);
}

static void on_forbidden(int sig, siginfo_t *info, void *context) {
  (void)sig;
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  int saved_errno = errno;
  report_once((unsigned)info->si_syscall);
  if (mode == BUS_SANDBOX_TRACE) {
    const greg_t args[6] = {regs[REG_RDI], regs[REG_RSI], regs[REG_RDX],
                            regs[REG_R10], regs[REG_R8],  regs[REG_R9]};
    regs[REG_RAX] = sandbox_syscall(info->si_syscall, args);
  } else {
    regs[REG_RAX] = -EPERM;
  }
  errno = saved_errno;
}

static void emit(struct sock_filter f) {
  if (length == PREFIX_MAX) runtime_die("sandbox: too many system calls in `syscalls:`");
  program[length++] = f;
}

#define LOAD(field)                                                                                \
  (struct sock_filter)                                                                             \
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define UNLESS_EQUAL_SKIP(value, n)                                                                \
  (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, (n))
#define ALLOW (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void emit_trace_rule(void) {
  uint64_t at = (uint64_t)(uintptr_t)sandbox_syscall_return;
  emit(LOAD(instruction_pointer));
  emit(UNLESS_EQUAL_SKIP((uint32_t)at, 3));
  emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                    (unsigned)offsetof(struct seccomp_data, instruction_pointer) +
                                        sizeof(uint32_t)));
  emit(UNLESS_EQUAL_SKIP((uint32_t)(at >> 32), 1));
  emit(ALLOW);
}

/* raise() and abort(): signals, but only to this process. */
static void emit_raise_rule(void) {
  emit(LOAD(nr));
  emit(UNLESS_EQUAL_SKIP(SYS_tgkill, 3));
  emit(LOAD(args[0]));
  emit(UNLESS_EQUAL_SKIP(getpid(), 1));
  emit(ALLOW);
}

static void emit_extra(const char *extra, size_t bytes) {
  emit(LOAD(nr));
  for (size_t at = 0; at < bytes && extra[at]; at += strlen(extra + at) + 1) {
    int nr = syscall_number(extra + at);
    if (nr < 0)
      runtime_die("manifest: `syscalls:` names '%s', which is no system call", extra + at);
    emit(UNLESS_EQUAL_SKIP(nr, 1));
    emit(ALLOW);
  }
}

static void build(const char *extra, size_t extra_bytes) {
  emit(LOAD(arch));
  unsigned jump = length + 1;
  emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  emit((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  if (mode == BUS_SANDBOX_TRACE) emit_trace_rule();
  emit_raise_rule();
  emit_extra(extra, extra_bytes);
  program[jump].k = length - jump - 1; /* another architecture: straight to the shared filter */
  memcpy(program + length, sandbox_tight, sizeof(sandbox_tight));
  length += sizeof(sandbox_tight) / sizeof(sandbox_tight[0]);
}

void sandbox_close(enum bus_sandbox wanted, const char *extra, size_t extra_bytes) {
  mode = wanted;
  if (mode == BUS_SANDBOX_NONE) return;
  struct sigaction sa = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSYS, &sa, NULL);
  build(extra, extra_bytes);
  struct sock_fprog prog = {.len = (unsigned short)length, .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
    runtime_die("sandbox: the kernel refuses the system call filter: %s", strerror(errno));
}
