#include "servers/tty/getty.h"

#include <stdio.h>
#include <string.h>

#include "libsys/if/proc.h"
#include "libsys/sys.h"
#include "servers/tty/console.h"
#include "servers/tty/jobs.h"
#include "servers/tty/screen.h"

enum { PROGRAM_BYTES = 128, DESCRIPTORS = 3 };
enum { COOKIE_SPAWN = 1, COOKIE_WAIT };

static const char environment[] = "TERM=xterm-256color\0PATH=/bin\0HOME=/";
enum { VARIABLES = 3 };

enum getty_state {
  GETTY_NONE, /* no program */
  GETTY_IDLE,
  GETTY_STARTING,
  GETTY_RUNNING,
};

static struct {
  enum getty_state state;
  int32_t pid;     /* RUNNING: the program's */
  uint32_t handle; /* of the console, for the program; while it starts */
  char program[PROGRAM_BYTES];
} getty;

void getty_init(const char *program) {
  if (!*program) return;
  snprintf(getty.program, sizeof(getty.program), "%s", program);
  getty.state = GETTY_IDLE;
}

/* On a line of its own. */
static void say(const char *what, const char *why) {
  char line[256];
  if (screen_column()) screen_write("\n", 1, true);
  int n = snprintf(line, sizeof(line), "[%s %s%s; press a key to start it]\n", getty.program, what,
                   why);
  screen_write(line, (uint32_t)n, true);
}

static int call_manager(const msg_t *m, const void *payload, size_t bytes, uint64_t cookie) {
  endpoint_t pm = sys_lookup("pm");
  return pm > 0 ? sys_call(pm, m, payload, bytes, cookie) : -SYS_EDEADSRCDST;
}

/* ---- starting ---- */

static size_t put(char *at, const void *bytes, size_t n) {
  memcpy(at, bytes, n);
  return n;
}

/* All three descriptors are the same handle. */
static size_t fill_spawn(char *payload) {
  const struct proc_spawn spawn = {
      .nfds = DESCRIPTORS, .nargs = 1, .nenv = VARIABLES, .foreground = 1};
  size_t n = put(payload, &spawn, sizeof(spawn));
  for (uint32_t fd = 0; fd < DESCRIPTORS; fd++) {
    struct proc_fd inherited = {fd, sys_self(), getty.handle, 0};
    n += put(payload + n, &inherited, sizeof(inherited));
  }
  for (int i = 0; i < 2; i++) /* the program, and its name to itself */
    n += put(payload + n, getty.program, strlen(getty.program) + 1);
  return n + put(payload + n, environment, sizeof(environment));
}

static void failed(int error) {
  getty.state = GETTY_IDLE;
  say("cannot be started: ", sys_strerror(error));
}

bool getty_wake(void) {
  char payload[sizeof(struct proc_spawn) + DESCRIPTORS * sizeof(struct proc_fd) +
               2 * PROGRAM_BYTES + sizeof(environment)];
  msg_t m = {.type = PROC_SPAWN};
  if (getty.state != GETTY_IDLE) return false;
  console_begin_session();
  getty.handle = console_open(sys_self());
  getty.state = GETTY_STARTING;
  int error = call_manager(&m, payload, fill_spawn(payload), COOKIE_SPAWN);
  if (error) failed(error);
  return true;
}

static int wait_for_end(void) {
  msg_t m = {.type = PROC_WAIT};
  IPC(&m, proc_wait)->pid = getty.pid;
  return call_manager(&m, NULL, 0, COOKIE_WAIT);
}

static void started(const msg_t *m) {
  console_close(sys_self(), getty.handle);
  int error = m->status;
  if (!error) {
    getty.state = GETTY_RUNNING;
    getty.pid = IPC_REPLY(m, proc_spawn_program)->pid;
    error = wait_for_end();
  }
  if (error) failed(error);
}

/* When the answer was lost it is asked for again; a process manager that was restarted has no such
 * process any more. */
static void ended(const msg_t *m) {
  if (m->status == -SYS_ERESTARTED && wait_for_end() == 0) return;
  getty.state = GETTY_IDLE;
  jobs_set_group(0);
  say("has ended", "");
}

bool getty_reply(const msg_t *m) {
  if (m->cookie == COOKIE_SPAWN && getty.state == GETTY_STARTING)
    started(m);
  else if (m->cookie == COOKIE_WAIT && getty.state == GETTY_RUNNING)
    ended(m);
  else
    return false;
  return true;
}
