#include "libos/signals.h"

#include <errno.h>
#include <signal.h>

#include "libos/ask.h"
#include "libos/os.h"
#include "libsys/if/proc.h"
#include "libsys/sys.h"

enum { SIGNALS = 64 };

static os_handler_t handlers[SIGNALS + 1]; /* by number; SIG_DFL is NULL */
static uint64_t caught, ignored;
static bool taking;
static unsigned handled;

bool signals_caught(void) {
  return caught != 0;
}

bool signals_ignored(int signal) {
  return handlers[signal] == SIG_IGN;
}

unsigned signals_handled(void) {
  return handled;
}

static bool run(uint64_t signals) {
  bool any = false;
  for (int s = 1; s <= SIGNALS; s++) {
    os_handler_t handler = handlers[s];
    if (!(signals >> (s - 1) & 1) || handler == SIG_DFL || handler == SIG_IGN) continue;
    any = true;
    handled++;
    handler(s);
  }
  return any;
}

/* Not from inside of a handler: what comes then is taken after it. */
bool signals_take(void) {
  bool any = false;
  if (!caught || taking) return false;
  int before = errno;
  taking = true;
  while (1) {
    msg_t m = {.type = PROC_TAKE};
    int error = sys_sendrec(server_endpoint(SERVER_PM), &m);
    uint64_t signals = error || m.status ? 0 : IPC_REPLY(&m, proc_take)->signals;
    if (!signals) break;
    any |= run(signals);
  }
  taking = false;
  errno = before;
  return any;
}

os_handler_t os_signal(int signal, os_handler_t handler) {
  if (signal < 1 || signal > SIGNALS || signal == SIGKILL || signal == SIGSTOP) {
    errno = EINVAL;
    return SIG_ERR;
  }
  uint64_t bit = 1ull << (signal - 1);
  uint64_t new_caught = caught & ~bit, new_ignored = ignored & ~bit;
  if (handler == SIG_IGN)
    new_ignored |= bit;
  else if (handler != SIG_DFL)
    new_caught |= bit;
  msg_t m = {.type = PROC_SIGNALS};
  IPC(&m, proc_signals)->caught = new_caught;
  IPC(&m, proc_signals)->ignored = new_ignored;
  if (ask(server_endpoint(SERVER_PM), &m) < 0) return SIG_ERR;
  os_handler_t before = handlers[signal];
  handlers[signal] = handler;
  caught = new_caught;
  ignored = new_ignored;
  return before;
}

void signals_broken_pipe(void) {
  os_handler_t handler = handlers[SIGPIPE];
  if (handler == SIG_IGN) return;
  if (handler != SIG_DFL) {
    handler(SIGPIPE);
    return;
  }
  if (os_kill(os_getpid(), SIGPIPE) < 0) _exit(128 + SIGPIPE);
  while (1)
    await(); /* our end is under way */
}
