#include "bus/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/fault.h"
#include "bus/fdpass.h"
#include "bus/lifecycle.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/programs.h"
#include "bus/self.h"
#include "bus/shutdown.h"
#include "bus/update.h"
#include "bus/wire.h"
#include "libst/annotate.h"
#include "libst/fault.h"

static int tell(const struct loader_msg *m, const char *strings, size_t bytes, const int *fds,
                unsigned nfds) {
  struct iovec iov[2] = {{(void *)(uintptr_t)m, sizeof(*m)}, {(void *)(uintptr_t)strings, bytes}};
  ssize_t n = fdpass_send(LOADER_CHANNEL_FD, iov, 2, fds, nfds);
  if (n < 0) bus_log("the loader does not take a request (%s)", strerror((int)-n));
  return n < 0 ? (int)n : 0;
}

/* ---- spawn ---- */

struct strings {
  char bytes[LOADER_STRINGS_MAX];
  size_t used;
  uint32_t n;
};

static struct strings strings; /* of the request that is being made */
ST_VAR(strings, dont_transfer);

static int add_string(struct strings *s, const char *text) {
  size_t len = strlen(text) + 1;
  if (len > sizeof(s->bytes) - s->used) return -E2BIG;
  memcpy(s->bytes + s->used, text, len);
  s->used += len;
  s->n++;
  return 0;
}

/* The limits of an update come from the manifest, um's own arguments override them. */
static int add_time_outs(struct strings *s) {
  const struct manifest_timeouts *t = &bus.manifest->timeouts;
  char text[4][32];
  int error = 0;
  snprintf(text[0], sizeof(text[0]), "load=%u", t->load);
  snprintf(text[1], sizeof(text[1]), "converge=%u", t->converge);
  snprintf(text[2], sizeof(text[2]), "transfer=%u", t->transfer);
  snprintf(text[3], sizeof(text[3]), "maxtime=%u", t->maxtime);
  for (unsigned i = 0; i < 4 && !error; i++)
    error = add_string(s, text[i]);
  return error;
}

/* um checks signatures when an update is requested; here they are checked once more. */
static int add_key(struct strings *s) {
  const struct manifest_updates *u = &bus.manifest->updates;
  char text[16 + 2 * sizeof(u->key)] = "key=";
  if (!u->require_signature) return 0;
  for (unsigned i = 0; i < sizeof(u->key); i++)
    snprintf(text + strlen(text), 3, "%02x", u->key[i]);
  return add_string(s, text);
}

static int add_arguments(struct strings *s, const struct manifest_component *c) {
  int error = add_string(s, c->name);
  if (!error && c->kernel & MANIFEST_KERNEL_UPDATE) error = add_time_outs(s);
  if (!error && c->kernel & MANIFEST_KERNEL_UPDATE) error = add_key(s);
  for (unsigned i = 0; i < c->args_count && !error; i++)
    error = add_string(s, c->args[i]);
  return error;
}

static struct strings arguments;
ST_VAR(arguments, dont_transfer);

int link_arguments(const struct manifest_component *c, const char **bytes) {
  arguments.used = arguments.n = 0;
  int error = add_arguments(&arguments, c);
  *bytes = arguments.bytes;
  return error ? error : (int)arguments.used;
}

struct fd_list {
  int fds[LOADER_FDS_MAX + 2];
  unsigned n;
  struct loader_msg *m;
};

static void give(struct fd_list *list, int fd, int number) {
  list->m->spawn.fds[list->m->spawn.nfds++] = number;
  list->fds[list->n++] = fd;
}

static uint32_t confinement(void) {
  switch (bus.manifest->sandbox) {
  case MANIFEST_SANDBOX_ON:
    return LOADER_CONFINE;
  case MANIFEST_SANDBOX_REQUIRED:
    return LOADER_CONFINE | LOADER_REQUIRE_LANDLOCK;
  case MANIFEST_SANDBOX_NONE:
    break;
  }
  return 0;
}

static int make_channel(struct version *v, int *theirs) {
  int pair[2], error = st_fault("busd.channel", EMFILE);
  if (error) return error;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  v->channel = pair[0];
  *theirs = pair[1];
  return 0;
}

/* A program's come from its spawner. */
static int arguments_of(const struct endpoint *e, const char **bytes) {
  unsigned n;
  if (!e->component->program) return link_arguments(e->component, bytes);
  const char *next = programs_arguments(e, &n);
  int error = 0;
  arguments.used = arguments.n = 0;
  for (; n && !error; n--, next += strlen(next) + 1)
    error = add_string(&arguments, next);
  *bytes = arguments.bytes;
  return error ? error : (int)arguments.used;
}

/* Linux's autogroups make a session one entity of the scheduler on each CPU, and weigh each anew
 * whenever load moves between them. Some kernels then forget what the entity has used up
 * (docs/decisions.md): whoever else wants the personality's CPU starves as long as that is busy. So
 * what stays on other CPUs does not belong to its session. */
static uint32_t apart(uint64_t cpus) {
  return cpus & manifest_personality_cpus(bus.manifest, bus.cpus) ? 0 : LOADER_APART;
}

int link_spawn(struct version *v, uint64_t cpus, int state, const struct version *old) {
  const struct endpoint *e = v->endpoint;
  struct loader_msg m = {.type = LOADER_SPAWN, .id = v->id};
  struct fd_list list = {.m = &m};
  struct wire_end ends[WIRES_PER_COMPONENT_MAX];
  int channel = -1;
  const char *strings;
  int bytes = arguments_of(e, &strings), error = bytes < 0 ? bytes : 0;
  if (!error) error = make_channel(v, &channel);
  if (!error) {
    m.spawn.flags = confinement() | apart(schedule_cpus(e));
    if (old && old != v) m.spawn.flags |= LOADER_BACKGROUND;
    m.spawn.nargs = arguments.n;
    m.spawn.cpus = cpus;
    list.fds[list.n++] = v->exe;
    list.fds[list.n++] = e->log_pipe[1];
    give(&list, channel, BUS_FD_CHANNEL);
    give(&list, v->exe, BUS_FD_EXE);
    if (old) give(&list, state, BUS_FD_STATE), give(&list, old->exe, BUS_FD_OLD_EXE);
    if (fault_page_fd() >= 0) give(&list, fault_page_fd(), BUS_FD_FAULTS);
    unsigned nends = wire_ends(e, ends);
    for (unsigned i = 0; i < nends; i++)
      give(&list, ends[i].fd, BUS_FD_INHERITED + (int)i);
    error = tell(&m, strings, (size_t)bytes, list.fds, list.n);
  }
  if (channel >= 0) close(channel);
  return error;
}

int link_spawn_helper(const char *path, char *const *argv, const int *fds, unsigned nfds,
                      int log_fd) {
  static uint32_t last_id;
  struct loader_msg m = {.type = LOADER_SPAWN, .id = LOADER_HELPER_IDS | ++last_id};
  struct fd_list list = {.m = &m};
  int exe = open(path, O_RDONLY | O_CLOEXEC), error = 0;
  if (exe < 0) return -errno;
  strings.used = strings.n = 0;
  for (; *argv && !error; argv++)
    error = add_string(&strings, *argv);
  m.spawn.nargs = strings.n;
  m.spawn.cpus = manifest_other_cpus(bus.manifest, bus.cpus);
  m.spawn.flags = LOADER_BACKGROUND | apart(m.spawn.cpus);
  list.fds[list.n++] = exe;
  list.fds[list.n++] = log_fd;
  for (unsigned i = 0; i < nfds; i++)
    give(&list, fds[i], STDERR_FILENO + 1 + (int)i);
  if (!error) error = tell(&m, strings.bytes, strings.used, list.fds, list.n);
  close(exe);
  return error ? error : (int)last_id;
}

void link_kill_id(uint32_t id, int signal) {
  const struct loader_msg m = {.type = LOADER_KILL, .id = id, .kill = {signal}};
  tell(&m, NULL, 0, NULL, 0);
}

void link_kill(const struct version *v, int signal) {
  link_kill_id(v->id, signal);
}

void link_place_id(uint32_t id, uint64_t cpus, bool background) {
  const struct loader_msg m = {.type = LOADER_PLACE, .id = id, .place = {cpus, background}};
  tell(&m, NULL, 0, NULL, 0);
}

void link_place(const struct version *v, uint64_t cpus, bool background) {
  link_place_id(v->id, cpus, background);
}

/* ---- a new version of busd ---- */

int link_spawn_next(const struct link_next *next) {
  struct loader_msg m = {.type = LOADER_SPAWN, .id = next->id};
  struct fd_list list = {.m = &m};
  strings.used = strings.n = 0;
  int error = add_string(&strings, "busd");
  if (!error) error = add_string(&strings, bus.instance);
  if (!error) error = add_string(&strings, "update");
  if (error) return error;
  m.spawn.nargs = strings.n;
  m.spawn.cpus = manifest_other_cpus(bus.manifest, bus.cpus);
  list.fds[list.n++] = next->exe;
  list.fds[list.n++] = STDERR_FILENO;
  give(&list, next->exe, LOADER_EXE_FD);
  give(&list, next->state, LOADER_STATE_FD);
  give(&list, next->old_exe, LOADER_OLD_EXE_FD);
  if (fault_page_fd() >= 0) give(&list, fault_page_fd(), LOADER_FAULT_FD);
  give(&list, next->options, LOADER_OPTIONS_FD);
  return tell(&m, strings.bytes, strings.used, list.fds, list.n);
}

void link_report(enum update_phase phase, int status, const char *text) {
  const struct loader_msg m = {.type = LOADER_REPORT, .report = {phase, status}};
  tell(&m, text, strlen(text) + 1, NULL, 0);
}

/* ---- commit ---- */

int link_commit(const struct loader_msg *commit) {
  return tell(commit, NULL, 0, NULL, 0);
}

void link_activated(uint64_t txid) {
  const struct loader_msg m = {.type = LOADER_ACTIVATED, .commit = {.txid = txid}};
  tell(&m, NULL, 0, NULL, 0);
}

void link_shutdown(int status) {
  const struct loader_msg m = {.type = LOADER_SHUTDOWN, .exit = {status}};
  if (tell(&m, NULL, 0, NULL, 0) < 0) exit(EXIT_FAILURE);
}

/* ---- what the loader says ---- */

/* @param never_ran  why it did not get to run its executable; "": it did */
static void process_exited(const struct loader_msg *m, const char *never_ran) {
  if (m->id & LOADER_HELPER_IDS) {
    wire_helper_exited((int)(m->id & ~LOADER_HELPER_IDS), m->exited.wait_status, never_ran);
    return;
  }
  if (m->id >= LOADER_NEXT_IDS) {
    self_exited(m);
    return;
  }
  struct version *v = version_by_id(m->id);
  if (!v) return;
  v->cpu_us = m->exited.cpu_us;
  lifecycle_exited(v, m->exited.wait_status, never_ran);
}

static void spawned(const struct loader_msg *m) {
  if (m->id & LOADER_HELPER_IDS) {
    if (m->spawned.error) wire_helper_failed((int)(m->id & ~LOADER_HELPER_IDS), m->spawned.error);
    return;
  }
  if (m->id >= LOADER_NEXT_IDS) {
    self_spawned(m);
    return;
  }
  struct version *v = version_by_id(m->id);
  if (!v) return;
  /* Only now is it listened to: before, not even its process id is known. */
  if (!m->spawned.error && v->state == VERSION_SPAWNING) {
    v->pid = m->spawned.pid;
    v->state = VERSION_BUSY;
    if (loop_add(v->channel, LOOP_READ, false, packet_ready, v) < 0)
      version_kill(v, "cannot be listened to");
  }
  lifecycle_spawned(v, m->spawned.error);
}

static void handle(const struct loader_msg *m, const char *text) {
  switch ((enum loader_type)m->type) {
  case LOADER_SPAWNED:
    spawned(m);
    break;
  case LOADER_EXITED:
    process_exited(m, text);
    break;
  case LOADER_ACTIVATE:
    update_activate(m);
    break;
  case LOADER_REFUSED:
    update_refused(m->commit.txid, m->commit.status);
    break;
  case LOADER_REPORT:
    self_reported(m, text);
    break;
  case LOADER_HELD:
    self_held();
    break;
  case LOADER_THAW:
    self_thawed();
    break;
  case LOADER_TERM:
    shutdown_begin("told by a signal", EXIT_SUCCESS);
    break;
  case LOADER_SPAWN:
  case LOADER_KILL:
  case LOADER_PLACE:
  case LOADER_COMMIT:
  case LOADER_ACTIVATED:
  case LOADER_SHUTDOWN:
  case LOADER_HOLD:
    bus_log("the loader sent a message that only busd may send");
    break;
  }
}

static struct {
  struct loader_msg m;
  char text[LOADER_STRINGS_MAX];
} packet;
ST_VAR(packet, dont_transfer);

static void ready(int fd, void *arg) {
  unsigned nfds = 0;
  (void)arg;
  ssize_t n = fdpass_receive(fd, &packet, sizeof(packet), NULL, &nfds);
  if (n == -EAGAIN || n == -EINTR) return;
  if (n < (ssize_t)sizeof(packet.m)) {
    /* All others have died with their parent. */
    bus_log("the loader has died: the instance ends");
    exit(EXIT_FAILURE);
  }
  size_t text = (size_t)n - sizeof(packet.m);
  packet.text[text < sizeof(packet.text) ? text : sizeof(packet.text) - 1] = 0;
  handle(&packet.m, packet.text);
}

void link_wait(void) {
  struct pollfd p = {.fd = LOADER_CHANNEL_FD, .events = POLLIN};
  if (poll(&p, 1, -1) > 0) ready(LOADER_CHANNEL_FD, NULL);
}

int link_init(void) {
  return loop_add(LOADER_CHANNEL_FD, LOOP_READ, false, ready, NULL);
}
