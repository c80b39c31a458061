#include "servers/tty/jobs.h"

#include <signal.h>

#include "libsys/if/proc.h"
#include "libsys/sys.h"

static int32_t foreground;

int32_t jobs_group(void) {
  return foreground;
}

void jobs_set_group(int32_t group) {
  foreground = group;
}

/* @return 0 or a negative error */
static int ask_manager(msg_t *m) {
  endpoint_t pm = sys_lookup("pm");
  int error = pm > 0 ? sys_sendrec(pm, m) : pm;
  return error ? error : m->status;
}

static void kill_group(int32_t group, int signal) {
  msg_t m = {.type = PROC_KILL};
  *IPC(&m, proc_kill) = (struct proc_kill){.pid = -group, .signal = signal};
  ask_manager(&m);
}

void jobs_signal(int signal) {
  if (foreground > 0) kill_group(foreground, signal);
}

/* Components that are no processes have no group. */
static int32_t group_of(endpoint_t endpoint) {
  msg_t m = {.type = PROC_GET};
  IPC(&m, proc_get)->endpoint = endpoint;
  return ask_manager(&m) ? 0 : IPC_REPLY(&m, proc_get)->group;
}

bool jobs_may_read(endpoint_t reader) {
  int32_t group = foreground ? group_of(reader) : 0;
  if (!group || group == foreground) return true;
  kill_group(group, SIGTTIN);
  return false;
}
