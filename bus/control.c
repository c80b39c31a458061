#include "bus/control.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/console.h"
#include "bus/debug.h"
#include "bus/fault.h"
#include "bus/fdpass.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/log.h"
#include "bus/loop.h"
#include "bus/operator.h"
#include "bus/programs.h"
#include "bus/reload.h"
#include "bus/shutdown.h"
#include "bus/status.h"
#include "bus/trace.h"
#include "libst/annotate.h"
#include "proto/control_limits.h"
#include "proto/printable.h"

#define CLIENTS_MAX 32u

enum client_state {
  CLIENT_FREE,
  CLIENT_IDLE,
  CLIENT_AT_UM,     /* um has its request and has not ended it */
  CLIENT_ORPHAN,    /* that um has died, and what comes of the update is not decided */
  CLIENT_TRACING,   /* gets events until it goes */
  CLIENT_WAITING,   /* for components that start or stop */
  CLIENT_DEBUGGING, /* holds a component until it goes */
  CLIENT_CONSOLE,   /* has a console until it goes */
  CLIENT_AT_SERVER, /* a component was asked for its table */
};

static struct client {
  enum client_state state;
  int fd;
  uint32_t generation; /* so that a number never means two clients */
  uint64_t awaited;    /* WAITING: endpoints that have not settled */
  int status;          /* WAITING: what it will be told */
  endpoint_t debugged; /* DEBUGGING */
  bool committed;      /* an update was, since its request went to um */
  endpoint_t server;   /* AT_SERVER */
} clients[CLIENTS_MAX];

static uint64_t number_of(const struct client *c) {
  return (uint64_t)c->generation << 8 | (uint64_t)(c - clients);
}

static struct client *by_number(uint64_t number) {
  unsigned i = number & 0xff;
  bool known =
      i < CLIENTS_MAX && clients[i].state != CLIENT_FREE && clients[i].generation == number >> 8;
  return known ? &clients[i] : NULL;
}

static void tell(struct endpoint *to, uint32_t type, const struct client *c, const void *payload,
                 uint32_t bytes, const int *fds, unsigned nfds) {
  msg_t m = {.type = type, .payload = bytes};
  m.u64[0] = number_of(c);
  endpoint_mail(to, &m, payload, fds, nfds);
}

static void client_free(struct client *c) {
  switch (c->state) {
  case CLIENT_FREE:
    return;
  case CLIENT_AT_UM:
    if (bus_update_manager() && bus_update_manager()->live)
      tell(bus_update_manager(), UM_CONTROL_CLOSED, c, NULL, 0, NULL, 0);
    break;
  case CLIENT_TRACING:
    trace_unsubscribe(c->fd);
    break;
  case CLIENT_DEBUGGING:
    debug_end(bus_endpoint(c->debugged));
    break;
  case CLIENT_CONSOLE:
    console_return(c->fd);
    break;
  case CLIENT_IDLE:
  case CLIENT_WAITING:
  case CLIENT_ORPHAN:
  case CLIENT_AT_SERVER:
    break;
  }
  loop_forget(c->fd);
  close(c->fd);
  c->state = CLIENT_FREE;
}

/* ---- replies ---- */

/* The reason in place of the answer, so that nobody waits for it or wonders. */
static int send_too_long(int fd, size_t bytes) {
  char text[96];
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  snprintf(text, sizeof(text), "the answer has %zu bytes, and no more than %u can be sent", bytes,
           CONTROL_REPLY_MAX_BYTES);
  reply.last = true;
  reply.status = -EMSGSIZE;
  reply.text = text;
  return control_reply(fd, &reply);
}

int control_reply(int fd, const Proteos__ControlReply *reply) {
  static uint8_t packed[CONTROL_REPLY_MAX_BYTES];
  size_t bytes = proteos__control_reply__get_packed_size(reply);
  if (bytes > sizeof(packed)) return send_too_long(fd, bytes);
  size_t n = proteos__control_reply__pack(reply, packed);
  ssize_t sent = send(fd, packed, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : 0;
}
ST_STATIC(control_reply, packed, dont_transfer);

static void send_text(struct client *c, bool last, int status, const char *text) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  reply.last = last;
  reply.status = status;
  reply.text = (char *)(uintptr_t)text;
  if (control_reply(c->fd, &reply) < 0) client_free(c);
}

/* Keeps the whole lines of a text that fit into a reply, and says how much more there was. */
static void shorten(char *text) {
  enum { LAST_LINE = 64, BESIDE = 64 + LAST_LINE /* the rest of the reply, too */ };
  size_t bytes = strlen(text), most = CONTROL_REPLY_MAX_BYTES - BESIDE;
  if (bytes <= most) return;
  char *end = text + (most < bytes - LAST_LINE ? most : bytes - LAST_LINE);
  while (end > text && *end != '\n')
    end--;
  sprintf(end, "\n(and %zu bytes more)", bytes - (size_t)(end - text));
}

static void say(struct client *c, bool last, int status, const char *line) {
  char text[512];
  snprintf(text, sizeof(text), "%s", line);
  printable_make(text); /* it may quote the client */
  send_text(c, last, status, text);
}

static void end_request(struct client *c, int status, const char *why) {
  c->state = CLIENT_IDLE;
  say(c, true, status, why);
}

static bool was_asked(const struct endpoint *e, const struct client *c) {
  if (c->state == CLIENT_AT_UM) return e == bus_update_manager();
  return c->state == CLIENT_AT_SERVER && c->server == e->id;
}

int control_send(const struct endpoint *by, uint64_t connection, const void *packed, uint32_t bytes,
                 bool last) {
  struct client *c = by_number(connection);
  if (!c || !was_asked(by, c)) return -ENOTCONN;
  if (send(c->fd, packed, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    client_free(c);
    return -ENOTCONN;
  }
  if (last) c->state = CLIENT_IDLE;
  return 0;
}

void control_committed(void) {
  for (unsigned i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].state == CLIENT_AT_UM || clients[i].state == CLIENT_ORPHAN)
      clients[i].committed = true;
}

void control_manager_died(void) {
  for (unsigned i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].state == CLIENT_AT_UM) clients[i].state = CLIENT_ORPHAN;
}

void control_tell_orphans(void) {
  static const char abandoned[] =
      "the update manager has died: the update is abandoned, the old versions go on";
  static const char done[] =
      "the update manager has died, but the update is done: the new versions go on";
  for (unsigned i = 0; i < CLIENTS_MAX; i++) {
    struct client *c = &clients[i];
    if (c->state == CLIENT_ORPHAN)
      end_request(c, c->committed ? 0 : -EPIPE, c->committed ? done : abandoned);
  }
}

void control_server_died(const struct endpoint *e) {
  char text[MANIFEST_NAME_MAX + 32];
  snprintf(text, sizeof(text), "%s has died before it answered", e->component->name);
  for (unsigned i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].state == CLIENT_AT_SERVER && clients[i].server == e->id)
      end_request(&clients[i], -EPIPE, text);
}

/* ---- components that start and stop ---- */

static void await(struct client *c, uint64_t endpoints) {
  c->state = CLIENT_WAITING;
  c->awaited = endpoints;
  c->status = 0;
}

static void describe_settled(const struct endpoint *e, const char *failure, char *text,
                             size_t cap) {
  char last[256] = "";
  if (failure) log_last_line(e, last, sizeof(last));
  if (failure)
    snprintf(text, cap, "%s did not start: %s%s%s", e->component->name, failure,
             *last ? "; its last line: " : "", last);
  else
    snprintf(text, cap, "%s is %s", e->component->name, endpoint_state_name(e->state));
}

void control_settled(const struct endpoint *e, const char *failure) {
  char text[512];
  if (!failure && e->state == ENDPOINT_RUNNING) console_restarted(e->component->name);
  for (unsigned i = 0; i < CLIENTS_MAX; i++) {
    struct client *c = &clients[i];
    if (c->state != CLIENT_WAITING || !(c->awaited & 1ull << e->id)) continue;
    c->awaited &= ~(1ull << e->id);
    if (failure) c->status = -ECHILD;
    describe_settled(e, failure, text, sizeof(text));
    if (c->awaited)
      say(c, false, 0, text);
    else
      end_request(c, c->status, text);
  }
}

/* ---- requests ---- */

static void do_start(struct client *c, const char *name) {
  char why[256];
  struct endpoint *e = operator_start(name, why, sizeof(why));
  if (!e) {
    end_request(c, -EINVAL, why);
    return;
  }
  e->failures = 0;
  await(c, 1ull << e->id);
  lifecycle_restart(e);
}

static void do_stop(struct client *c, const char *name) {
  char why[256];
  struct endpoint *e = operator_stop(name, why, sizeof(why));
  if (!e) {
    end_request(c, -EINVAL, why);
    return;
  }
  await(c, 1ull << e->id);
  lifecycle_stop(e);
}

static bool is_stop(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Stopping is shared with others, who must not let it go on nor be undone. */
static void send_signal(struct endpoint *e, int signal) {
  if (is_stop(signal) || signal == SIGCONT)
    stop_order(e, signal != SIGCONT);
  else
    link_kill(e->live, signal);
}

static void do_kill(struct client *c, const Proteos__KillRequest *r) {
  char text[256] = "";
  struct endpoint *e = bus_endpoint(manifest_find(bus.manifest, r->component));
  int status = 0;
  if (!e)
    status = -ENOENT, snprintf(text, sizeof(text), "there is no component '%s'", r->component);
  else if (r->signal <= 0 || r->signal > SIGRTMAX)
    status = -EINVAL, snprintf(text, sizeof(text), "there is no signal %d", r->signal);
  else if (!e->live)
    status = -ESRCH, snprintf(text, sizeof(text), "%s is not running", r->component);
  else
    send_signal(e, r->signal);
  end_request(c, status, text);
}

/* Components that stop at once may have settled before the request's own end. */
static void do_reload(struct client *c, const char *manifest) {
  char *text;
  struct reload *r = reload_prepare(manifest, &text);
  if (text) shorten(text);
  if (r && text) {
    send_text(c, false, 0, text);
    if (c->state != CLIENT_FREE) await(c, reload_moves(r)); /* or else nobody waits any more */
    reload_apply(r);
    if (c->state == CLIENT_WAITING && !c->awaited) end_request(c, 0, "");
  } else {
    c->state = CLIENT_IDLE;
    send_text(c, true, -EINVAL, text ? text : strerror(ENOMEM));
  }
  free(text);
}

static void do_debug(struct client *c, const char *name) {
  char why[256];
  struct endpoint *e = operator_debug(name, why, sizeof(why));
  if (!e) {
    end_request(c, -EINVAL, why);
    return;
  }
  debug_begin(e);
  c->state = CLIENT_DEBUGGING;
  c->debugged = e->id;
  if (status_send_component(c->fd, e) < 0) client_free(c);
}

static void do_console(struct client *c, const char *name) {
  char why[256];
  int error = console_lend(c->fd, *name ? name : NULL, why, sizeof(why));
  if (error)
    end_request(c, error, why);
  else
    c->state = CLIENT_CONSOLE;
}

static void do_fault(struct client *c, const Proteos__FaultRequest *r) {
  char text[256] = "";
  int status = fault_request(c->fd, r, text, sizeof(text));
  if (status <= 0) end_request(c, status, text);
}

static void do_trace(struct client *c, const Proteos__TraceRequest *r) {
  char text[256] = "";
  int error = trace_subscribe(c->fd, r->filters, r->n_filters, text, sizeof(text));
  if (error)
    end_request(c, error, text);
  else
    c->state = CLIENT_TRACING;
}

/* @return whether the descriptors were taken over */
static bool do_update(struct client *c, const uint8_t *packed, size_t bytes, const int *fds,
                      unsigned nfds) {
  struct endpoint *um = bus_update_manager();
  const char *why = NULL;
  if (!um)
    why = "this instance has no update manager (a component with kernel: [update])";
  else if (!um->live)
    why = "the update manager is not running";
  else if (bus.state != BUS_RUNNING)
    why = "the instance is booting or ending";
  else if (bytes > CONTROL_REQUEST_MAX_BYTES)
    why = "the request is too large";
  if (why) {
    end_request(c, -EAGAIN, why);
    return false;
  }
  c->state = CLIENT_AT_UM;
  c->committed = false;
  tell(um, UM_CONTROL, c, packed, (uint32_t)bytes, fds, nfds);
  return true;
}

/* @param server  NULL: there is none. @param what  it is. @param how  the manifest gives one */
static void ask_for_table(struct client *c, struct endpoint *server, const char *what,
                          const char *how) {
  char text[128];
  if (server && server->live) {
    c->state = CLIENT_AT_SERVER;
    c->server = server->id;
    tell(server, BUS_TABLE, c, NULL, 0, NULL, 0);
    return;
  }
  if (server)
    snprintf(text, sizeof(text), "the %s is not running", what);
  else
    snprintf(text, sizeof(text), "this instance has no %s (%s)", what, how);
  end_request(c, -EAGAIN, text);
}

static void do_processes(struct client *c) {
  ask_for_table(c, programs_spawner(), "process manager", "programs: in its manifest");
}

static void do_memory(struct client *c) {
  ask_for_table(c, bus_with_right(MANIFEST_KERNEL_MEMORY), "memory server",
                "a component with kernel: [memory]");
}

static void do_schedule(struct client *c) {
  ask_for_table(c, bus_with_right(MANIFEST_KERNEL_SCHEDULE), "scheduler",
                "a component with kernel: [schedule]");
}

static void do_status(struct client *c) {
  int error = status_send(c->fd);
  if (error) client_free(c);
}

static bool serve(struct client *c, const Proteos__ControlRequest *r, const uint8_t *packed,
                  size_t bytes, const int *fds, unsigned nfds) {
  switch (r->request_case) {
  case PROTEOS__CONTROL_REQUEST__REQUEST_STATUS:
    do_status(c);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_SHUTDOWN:
    end_request(c, 0, "");
    shutdown_begin("asked by prctl", EXIT_SUCCESS);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_TRACE:
    do_trace(c, r->trace);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_UPDATE:
    return do_update(c, packed, bytes, fds, nfds);
  case PROTEOS__CONTROL_REQUEST__REQUEST_KILL:
    do_kill(c, r->kill);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_START:
    do_start(c, r->start->component);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_STOP:
    do_stop(c, r->stop->component);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_RELOAD:
    do_reload(c, r->reload->manifest);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_DEBUG:
    do_debug(c, r->debug->component);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_CONSOLE:
    do_console(c, r->console->name);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_FAULT:
    do_fault(c, r->fault);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_PROCESSES:
    do_processes(c);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_MEMORY:
    do_memory(c);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST_SCHEDULE:
    do_schedule(c);
    return false;
  case PROTEOS__CONTROL_REQUEST__REQUEST__NOT_SET:
  case _PROTEOS__CONTROL_REQUEST__REQUEST__CASE_IS_INT_SIZE:
    break;
  }
  end_request(c, -EINVAL, "a request of an unknown kind");
  return false;
}

static void client_ready(int fd, void *client) {
  static uint8_t packed[CONTROL_REQUEST_MAX_BYTES + 1];
  struct client *c = client;
  int fds[CONTROL_FILES_MAX];
  unsigned nfds = CONTROL_FILES_MAX;
  bool taken = false;
  ssize_t n = fdpass_receive(fd, packed, sizeof(packed), fds, &nfds);
  if (n == -EAGAIN || n == -EINTR) return;
  /* One request at a time: a client that does not wait for its answer is cut off. */
  if (n <= 0 || c->state != CLIENT_IDLE) {
    fdpass_close(fds, nfds);
    client_free(c);
    return;
  }
  Proteos__ControlRequest *r = proteos__control_request__unpack(NULL, (size_t)n, packed);
  if (r)
    taken = serve(c, r, packed, (size_t)n, fds, nfds);
  else
    end_request(c, -EINVAL, "a request that cannot be read");
  if (!taken) fdpass_close(fds, nfds);
  if (r) proteos__control_request__free_unpacked(r, NULL);
}
ST_STATIC(client_ready, packed, dont_transfer);

/* ---- connections ---- */

static bool may_connect(int fd) {
  struct ucred peer;
  socklen_t len = sizeof(peer);
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

/* Closes a connection without hearing it. First its requests are shut out and thrown away: to close
 * with one unread would take the reason along. */
static void turn_away(int fd, int status, const char *why) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  char byte;
  reply.last = true;
  reply.status = status;
  reply.text = (char *)(uintptr_t)why;
  shutdown(fd, SHUT_RD);
  while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0) {
  }
  control_reply(fd, &reply);
  close(fd);
}

static void client_came(int listener, void *arg) {
  (void)arg;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (!may_connect(fd)) {
    turn_away(fd, -EPERM, "only the owner of the instance and root may use it");
    return;
  }
  for (unsigned i = 0; i < CLIENTS_MAX; i++) {
    struct client *c = &clients[i];
    if (c->state != CLIENT_FREE) continue;
    c->state = CLIENT_IDLE;
    c->fd = fd;
    c->generation++;
    if (loop_add(fd, LOOP_READ, false, client_ready, c) < 0) client_free(c);
    return;
  }
  turn_away(fd, -EUSERS, "too many programs are connected to the instance");
}

int control_init(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", bus.runtime_dir);
  if (n >= (int)sizeof(address.sun_path)) return -ENAMETOOLONG;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  unlink(address.sun_path);
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
    return -errno;
  return loop_add(fd, LOOP_READ, false, client_came, NULL);
}
