#include "bus/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/boot.h"
#include "bus/bus.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/loop.h"

#define URL_BYTES 128u

/* Where the helper of slirp wires is, beside busd's folder. */
#define SLIRP_HELPER "drivers-sim/wires/proteos-slirp"

enum wire_state {
  WIRE_WAITING, /* for a peer, or for its helper's report */
  WIRE_READY,
};

static struct wire {
  enum wire_state state;
  const struct manifest_wire *def;
  int fd;
  int peer;   /* console: the other end, which is lent (bus/console.h) */
  int helper; /* id, 0: none */
  char url[URL_BYTES];
} * wires;

static unsigned wire_count(void) {
  return wires ? bus.manifest->wires_count : 0;
}

static void fail(const struct wire *w, const char *what, int error) {
  char who[64], why[512];
  snprintf(who, sizeof(who), "wire %s", w->def->name);
  snprintf(why, sizeof(why), "%s: %s", what, strerror(-error));
  boot_failed(who, why);
}

static void ready(struct wire *w) {
  w->state = WIRE_READY;
  boot_continue();
}

/* ---- tap ---- */

static int open_tap(struct wire *w) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strncpy(request.ifr_name, w->def->device, IFNAMSIZ - 1);
  w->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (w->fd < 0) {
    fail(w, "/dev/net/tun", -errno);
    return -errno;
  }
  if (ioctl(w->fd, TUNSETIFF, &request) < 0) {
    fail(w, w->def->device, -errno);
    return -errno;
  }
  w->state = WIRE_READY;
  return 0;
}

/* ---- stream ---- */

static void peer_came(int listener, void *arg) {
  struct wire *w = arg;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  loop_forget(listener);
  close(listener);
  unlink(w->def->path);
  w->fd = fd;
  ready(w);
}

static int listen_stream(struct wire *w, int fd, const struct sockaddr_un *address) {
  if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, 1) < 0)
    return -errno;
  bus_log("wire %s waits for its peer at %s", w->def->name, w->def->path);
  return loop_add(fd, LOOP_READ, false, peer_came, w);
}

static int open_stream(struct wire *w) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, w->def->path, sizeof(address.sun_path) - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
  if (fd < 0) {
    error = -errno;
  } else if (w->def->listen) {
    error = listen_stream(w, fd, &address);
  } else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
    error = -errno;
  } else {
    w->fd = fd;
    w->state = WIRE_READY;
  }
  if (error) fail(w, w->def->path, error);
  return error;
}

/* ---- file ---- */

/* The lock goes with the open file: it is there as long as anybody of the instance has it. */
static int open_file(struct wire *w) {
  w->fd = open(w->def->path, O_RDWR | O_CLOEXEC);
  int error = w->fd < 0 ? -errno : 0;
  if (!error && flock(w->fd, LOCK_EX | LOCK_NB) < 0) error = -errno;
  char locked[PATH_MAX + 128];
  snprintf(locked, sizeof(locked),
           "another program has locked the file %s: end it, or give this instance a copy",
           w->def->path);
  if (error == -EWOULDBLOCK)
    fail(w, locked, -EBUSY);
  else if (error)
    fail(w, w->def->path, error);
  else
    w->state = WIRE_READY;
  return error;
}

/* ---- console ---- */

/* busd keeps both ends: neither side notices that the other comes or goes. */
static int open_console(struct wire *w) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
    fail(w, "socketpair", -errno);
    return -errno;
  }
  w->fd = pair[0];
  w->peer = pair[1];
  w->state = WIRE_READY;
  return 0;
}

static struct wire *by_name(const char *name) {
  for (unsigned i = 0; i < wire_count(); i++)
    if (strcmp(wires[i].def->name, name) == 0) return &wires[i];
  return NULL;
}

static bool is_keyboard(const struct wire *w) {
  for (unsigned i = 0; i < wire_count(); i++)
    if (wires[i].def->keyboard && strcmp(wires[i].def->keyboard, w->def->name) == 0) return true;
  return false;
}

const struct manifest_wire *wire_console(const char *name, int peer[2]) {
  for (unsigned i = 0; i < wire_count(); i++) {
    const struct wire *w = &wires[i];
    if (w->def->kind != MANIFEST_WIRE_CONSOLE || is_keyboard(w)) continue;
    if (name && strcmp(w->def->name, name) != 0) continue;
    peer[0] = w->peer;
    peer[1] = w->def->keyboard ? by_name(w->def->keyboard)->peer : -1;
    return w->def;
  }
  return NULL;
}

/* ---- slirp ---- */

/* "127.0.0.1:0 -> 10.0.2.15:80" as the helper takes it. */
static void forward_argument(const char *forward, char *text, size_t cap) {
  const char *arrow = strstr(forward, " -> ");
  snprintf(text, cap, "%.*s-%s", (int)(arrow - forward), forward, arrow + 4);
}

/* The helper says where it listens, once, in one line: "HOST:PORT" or a URL or a port alone. */
static void reported(int fd, void *arg) {
  struct wire *w = arg;
  char text[96] = "";
  ssize_t n = read(fd, text, sizeof(text) - 1);
  if (n < 0 && errno == EAGAIN) return;
  loop_forget(fd);
  close(fd);
  if (n <= 0) {
    fail(w, "its helper reported no port", -EPIPE);
    return;
  }
  text[strcspn(text, "\n")] = 0;
  if (strstr(text, "://"))
    snprintf(w->url, sizeof(w->url), "%s", text);
  else
    snprintf(w->url, sizeof(w->url), "http://%s%s/", strchr(text, ':') ? "" : "127.0.0.1:", text);
  ready(w);
}

static int helper_path(char path[PATH_MAX]) {
  char exe[PATH_MAX] = "";
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return -errno;
  return snprintf(path, PATH_MAX, "%s/" SLIRP_HELPER, dirname(dirname(exe))) < PATH_MAX
             ? 0
             : -ENAMETOOLONG;
}

static int log_for(const struct wire *w) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/log/wire-%s.log", bus.runtime_dir, w->def->name);
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The helper's descriptors are 3, the wire, and 4, the report. */
static int start_slirp(struct wire *w, int pair[2], int report[2]) {
  char path[PATH_MAX], forward[128];
  char *argv[9] = {"proteos-slirp", "--fd", "3", "--report-fd", "4"};
  int n = 5;
  const int fds[] = {pair[1], report[1]};
  int error = helper_path(path);
  if (error) return error;
  if (w->def->forward) {
    forward_argument(w->def->forward, forward, sizeof(forward));
    argv[n++] = "--hostfwd";
    argv[n++] = forward;
  }
  if (w->def->open) argv[n++] = "--open";
  int log = log_for(w);
  if (log < 0) return -errno;
  w->helper = link_spawn_helper(path, argv, fds, 2, log);
  close(log);
  if (w->helper < 0) return w->helper;
  w->fd = pair[0];
  if (w->def->forward) return loop_add(report[0], LOOP_READ, false, reported, w);
  close(report[0]);
  w->state = WIRE_READY;
  return 0;
}

static int open_slirp(struct wire *w) {
  int pair[2], report[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || pipe2(report, O_CLOEXEC) < 0)
    return -errno;
  int error = start_slirp(w, pair, report);
  close(pair[1]);
  close(report[1]);
  if (error) fail(w, "its helper " SLIRP_HELPER, error);
  return error;
}

static struct wire *by_helper(int id) {
  for (unsigned i = 0; i < wire_count(); i++)
    if (wires[i].helper == id) return &wires[i];
  return NULL;
}

void wire_helper_exited(int id, int wait_status, const char *never_ran) {
  struct wire *w = by_helper(id);
  char how[320];
  if (!w || bus.state == BUS_STOPPING) return;
  lifecycle_describe_end(wait_status, how, sizeof(how));
  if (*never_ran) snprintf(how, sizeof(how), "cannot be started: %s", never_ran);
  bus_log("wire %s: its helper %s; see log/wire-%s.log", w->def->name, how, w->def->name);
  w->helper = 0;
  w->url[0] = 0;
}

void wire_helper_failed(int id, int error) {
  struct wire *w = by_helper(id);
  if (w) fail(w, "its helper " SLIRP_HELPER, error);
}

/* ---- all ---- */

static int open_wire(struct wire *w) {
  switch (w->def->kind) {
  case MANIFEST_WIRE_TAP:
    return open_tap(w);
  case MANIFEST_WIRE_STREAM:
    return open_stream(w);
  case MANIFEST_WIRE_SLIRP:
    return open_slirp(w);
  case MANIFEST_WIRE_FILE:
    return open_file(w);
  case MANIFEST_WIRE_CONSOLE:
    return open_console(w);
  }
  return -EINVAL;
}

int wire_init(void) {
  unsigned n = bus.manifest->wires_count;
  wires = calloc(n + 1, sizeof(*wires));
  if (!wires) return -ENOMEM;
  for (unsigned i = 0; i < n; i++)
    wires[i] = (struct wire){.def = &bus.manifest->wires[i], .fd = -1, .peer = -1};
  for (unsigned i = 0; i < n; i++) {
    int error = open_wire(&wires[i]);
    if (error) return error;
  }
  return 0;
}

void wire_adopt(void) {
  for (unsigned i = 0; i < bus.manifest->wires_count; i++)
    for (unsigned w = 0; w < wire_count(); w++)
      if (strcmp(wires[w].def->name, bus.manifest->wires[i].name) == 0)
        wires[w].def = &bus.manifest->wires[i];
}

bool wire_all_ready(const struct endpoint *e) {
  for (unsigned i = 0; i < wire_count(); i++)
    if (strcmp(wires[i].def->to, e->component->name) == 0 && wires[i].state != WIRE_READY)
      return false;
  return true;
}

unsigned wire_ends(const struct endpoint *e, struct wire_end ends[WIRES_PER_COMPONENT_MAX]) {
  unsigned n = 0;
  for (unsigned i = 0; i < wire_count() && n < WIRES_PER_COMPONENT_MAX; i++)
    if (strcmp(wires[i].def->to, e->component->name) == 0)
      ends[n++] = (struct wire_end){wires[i].def->name, wires[i].fd};
  return n;
}

const char *wire_url(unsigned i) {
  for (unsigned w = 0; w < wire_count(); w++) {
    if (!wires[w].url[0]) continue;
    if (i-- == 0) return wires[w].url;
  }
  return NULL;
}
