#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/fault.h"
#include "libst/st.h"
#include "libsys/crash.h"
#include "libsys/kern.h"
#include "libsys/recover.h"
#include "libsys/runtime.h"
#include "libsys/sandbox.h"
#include "libsys/update.h"

struct runtime runtime;

sys_init_t runtime_init_info(void) {
  return (sys_init_t){.start = (enum sys_start)runtime.hello.start,
                      .incarnation = runtime.hello.incarnation,
                      .name = runtime.hello.name,
                      .instance = runtime.hello.instance};
}

static void *copy(const uint8_t **from, size_t *left, size_t bytes) {
  if (bytes > *left) runtime_die("the bus's answer to HELLO is cut short");
  void *to = malloc(bytes ? bytes : 1);
  if (!to) runtime_die("out of memory");
  memcpy(to, *from, bytes);
  *from += bytes;
  *left -= bytes;
  return to;
}

static uint8_t buf[SYS_PAYLOAD_MAX]; /* for the answer to HELLO */

static size_t ask_hello(void) {
  struct kern_args args = {
      .m = {.type = KERN_HELLO}, .fd_out = -1, .in = buf, .in_cap = sizeof(buf)};
  args.m.u32[0] = BUS_ABI_VERSION;
  int error = kern_call(&args);
  if (error) runtime_die("refused by the bus: %s", sys_strerror(error));
  size_t bytes = args.m.payload < sizeof(buf) ? args.m.payload : sizeof(buf);
  if (bytes < sizeof(runtime.hello)) runtime_die("the bus's answer to HELLO is cut short");
  return bytes;
}

/* Into memory that is not allocated: a component may learn of new edges at any time. */
static void take_edges(const struct bus_hello *h, const uint8_t **from, size_t *left) {
  static struct bus_edge edges[BUS_EDGES_MAX];
  size_t bytes = h->nedges * sizeof(*edges);
  if (h->nedges > BUS_EDGES_MAX || bytes > *left)
    runtime_die("the bus's answer to HELLO is cut short");
  memcpy(edges, *from, bytes);
  runtime.edges = edges;
  runtime.hello.nedges = h->nedges;
  *from += bytes;
  *left -= bytes;
}

void runtime_learn_edges(void) {
  size_t left = ask_hello() - sizeof(struct bus_hello);
  const uint8_t *at = buf + sizeof(struct bus_hello);
  struct bus_hello hello;
  memcpy(&hello, buf, sizeof(hello));
  take_edges(&hello, &at, &left);
}

static void say_hello(void) {
  size_t left = ask_hello();
  memcpy(&runtime.hello, buf, sizeof(runtime.hello));
  struct bus_hello *h = &runtime.hello;
  if (h->version != BUS_ABI_VERSION)
    runtime_die("built for version %u of the bus, which has version %u", BUS_ABI_VERSION,
                h->version);
  const uint8_t *at = buf + sizeof(*h);
  left -= sizeof(*h);
  take_edges(h, &at, &left);
  runtime.inherited = copy(&at, &left, h->ninherited * sizeof(*runtime.inherited));
  runtime.syscalls = copy(&at, &left, h->syscalls_bytes);
  runtime.options = copy(&at, &left, h->options_bytes);
  runtime.calls_in_flight = h->calls_in_flight;
}

/* Only an instance that was booted for it has a page of faults. */
static void attach_faults(void) {
  if (fcntl(BUS_FD_FAULTS, F_GETFD) < 0) return;
  int error = st_fault_attach(BUS_FD_FAULTS, runtime.hello.name);
  if (error) runtime_die("the page of faults cannot be mapped: %s", strerror(-error));
  if (runtime.hello.start == SYS_START_UPDATE) st_fault_party_next(runtime.hello.name);
  close(BUS_FD_FAULTS);
}

void runtime_reserve_fds(void) {
  for (int fd = BUS_FD_CHANNEL; fd < BUS_FD_INHERITED; fd++) {
    if (fcntl(fd, F_GETFD) < 0) {
      int copy_fd = fcntl(BUS_FD_EXE, F_DUPFD_CLOEXEC, fd);
      if (copy_fd != fd && copy_fd >= 0) runtime_die("cannot reserve descriptor %d", fd);
    } else {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

/* A program without handlers may wait elsewhere than in receive. */
static void say_ready(void) {
  struct kern_args args = {.m = {.type = KERN_READY}, .fd_out = -1};
  int error = kern_call(&args);
  if (error) runtime_die("refused by the bus: %s", strerror(-error));
}

static void start(void) {
  sandbox_close(runtime.hello.sandbox, runtime.syscalls, runtime.hello.syscalls_bytes);
  sys_init_t info = runtime_init_info();
  runtime.live = true;
  int (*handler)(const sys_init_t *) = runtime.handlers->init;
  if (info.start == SYS_START_RESTART && runtime.handlers->restart)
    handler = runtime.handlers->restart;
  int error = handler ? handler(&info) : 0;
  if (error < 0) runtime_die("its init handler refused to start (%d)", error);
}

/* An executable without metadata is a plain program: it runs, but cannot be updated. */
static void open_state(void) {
  bool update = runtime.hello.start == SYS_START_UPDATE || runtime.hello.start == SYS_START_RECOVER;
  int error = st_init(BUS_FD_EXE, update);
  if (error && (update || error != -ENODATA))
    runtime_die("its state cannot be managed: %s", sys_strerror(error));
  for (int fd = BUS_FD_CHANNEL; fd < BUS_FD_INHERITED; fd++)
    st_exclude_fd(fd);
  if (runtime.hello.keep) recover_prepare();
}

void sys_startup(const event_eh_t *handlers) {
  static event_eh_t copy_of_handlers;
  if (handlers) copy_of_handlers = *handlers;
  runtime.plain = !handlers;
  runtime.handlers = &copy_of_handlers;
  if (fcntl(BUS_FD_CHANNEL, F_GETFD) < 0)
    runtime_die("not started by the loader: there is no channel to the bus");
  say_hello();
  attach_faults();
  st_pass("sys.start");
  runtime_reserve_fds();
  open_state();
  crash_install();
  switch ((enum sys_start)runtime.hello.start) {
  case SYS_START_FRESH:
  case SYS_START_RESTART:
    start();
    if (runtime.plain) say_ready();
    break;
  case SYS_START_UPDATE:
    update_become();
    break;
  case SYS_START_RECOVER:
    recover_become();
    break;
  }
  runtime.started = true;
}
