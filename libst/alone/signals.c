#include "libst/alone/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t mask_before;
static struct sigaction child_before;
static uint64_t kept; /* bit n - 1: signal n */

int signals_take(void) {
  sigset_t all;
  sigfillset(&all);
  /* With SIGCHLD ignored, children would be reaped unseen. */
  if (sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &child_before) < 0 ||
      sigprocmask(SIG_SETMASK, &all, &mask_before) < 0)
    return -errno;
  int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

void signals_restore(void) {
  sigaction(SIGCHLD, &child_before, NULL);
  sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

void signals_block_all(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

/* A signal from the terminal goes to the whole process group, so the program has it already. */
static bool from_terminal(const struct signalfd_siginfo *info) {
  return info->ssi_code == SI_KERNEL && info->ssi_signo != SIGHUP;
}

bool signals_read(int fd, pid_t program) {
  struct signalfd_siginfo info;
  bool children = false;
  while (read(fd, &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) {
      children = true;
      continue;
    }
    if (from_terminal(&info)) continue;
    if (!program)
      kept |= 1ull << (info.ssi_signo - 1);
    else if (info.ssi_code == SI_QUEUE)
      sigqueue(program, (int)info.ssi_signo, (union sigval){.sival_ptr = (void *)info.ssi_ptr});
    else
      kill(program, (int)info.ssi_signo);
  }
  return children;
}

void signals_pass_kept(pid_t program) {
  for (int n = 1; kept && n <= 64; n++)
    if (kept >> (n - 1) & 1) kill(program, n);
  kept = 0;
}
