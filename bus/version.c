#include "bus/version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/build_id.h"
#include "bus/bus.h"
#include "bus/executable.h"
#include "bus/fdpass.h"
#include "bus/link.h"
#include "bus/loop.h"
#include "bus/probation.h"

struct version_list versions = LIST_HEAD_INITIALIZER(versions);

struct version *version_new(struct endpoint *e, enum sys_start start, int exe) {
  static uint32_t last_id;
  struct version *v = calloc(1, sizeof(*v));
  if (!v) {
    close(exe);
    return NULL;
  }
  v->id = ++last_id;
  v->endpoint = e;
  v->state = VERSION_SPAWNING;
  v->start = start;
  v->channel = v->state_channel = v->kept = -1;
  v->exe = exe;
  v->started_us = bus_now_us();
  build_id_read(exe, v->build_id, sizeof(v->build_id));
  v->path = executable_path(exe);
  LIST_INSERT_HEAD(&versions, v, link);
  return v;
}

void version_free(struct version *v) {
  LIST_REMOVE(v, link);
  if (v->channel >= 0) {
    loop_forget(v->channel);
    close(v->channel);
  }
  if (v->exe >= 0) close(v->exe);
  if (v->state_channel >= 0) close(v->state_channel);
  if (v->kept >= 0) close(v->kept);
  free(v->filter);
  free(v->options);
  free(v->path);
  free(v);
}

struct version *version_by_id(uint32_t id) {
  struct version *v;
  LIST_FOREACH (v, &versions, link)
    if (v->id == id) return v;
  return NULL;
}

bool version_is_live(const struct version *v) {
  return v->endpoint->live == v;
}

bool version_is_traced(const struct version *v) {
  char path[64], line[128];
  int tracer = 0;
  snprintf(path, sizeof(path), "/proc/%d/status", v->pid);
  FILE *f = fopen(path, "re");
  if (!f) return false;
  while (fgets(line, sizeof(line), f))
    if (sscanf(line, "TracerPid: %d", &tracer) == 1) break;
  fclose(f);
  return tracer != 0;
}

void version_kill(struct version *v, const char *reason) {
  if (v->state == VERSION_ENDING) return;
  if (reason)
    bus_log("%s (process %d) is killed: it %s", v->endpoint->component->name, v->pid, reason);
  v->state = VERSION_ENDING;
  /* The channel stays open: it shall die of the signal and not of what it then finds. */
  if (v->channel >= 0) loop_forget(v->channel);
  link_kill(v, SIGKILL);
}

void version_deliver(struct version *v, enum bus_delivery_kind kind, int error, const msg_t *m,
                     const void *payload, const int *fds, unsigned nfds) {
  struct {
    uint32_t kind;
    int32_t error;
    msg_t m;
  } d = {kind, error, *m};
  _Static_assert(sizeof(d) == sizeof(struct bus_delivery), "the head of a delivery");
  ssize_t n;
  if (v->state == VERSION_ENDING) return;
  v->state = VERSION_BUSY;
  v->exchanges++;
  if (!m->payload && !nfds) {
    n = send(v->channel, &d, sizeof(d), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) n = -errno;
  } else {
    struct iovec iov[2] = {{&d, sizeof(d)}, {(void *)(uintptr_t)payload, m->payload}};
    n = fdpass_send(v->channel, iov, 2, fds, nfds);
  }
  /* EPIPE: it is dying, which the loader will report. */
  if (n < 0) version_kill(v, n == -EPIPE ? NULL : "does not take what it waits for");
}

/* ---- control ---- */

static void deliver_prepare(struct version *v, msg_t *m) {
  m->payload = (uint32_t)strlen(v->filter) + 1;
  version_deliver(v, BUS_DELIVER_CONTROL, 0, m, v->filter, &v->state_channel, 1);
  close(v->state_channel);
  v->state_channel = -1;
  v->prepared = true;
}

bool version_deliver_control(struct version *v) {
  if (!v->controls) return false;
  enum version_control c = v->controls & -v->controls;
  msg_t m = {.source = SYS_KERNEL};
  v->controls &= ~(unsigned)c;
  switch (c) {
  case CONTROL_THAW:
    m.type = BUS_CTL_THAW;
    v->prepared = false;
    break;
  case CONTROL_PREPARE:
    m.type = BUS_CTL_PREPARE;
    deliver_prepare(v, &m);
    return true;
  case CONTROL_CONVERGE:
    m.type = BUS_CTL_CONVERGE;
    break;
  case CONTROL_LIVE:
    m.type = BUS_CTL_LIVE;
    m.u32[0] = v->endpoint->calls_in_flight;
    m.u32[1] = probation_is_on(v->endpoint);
    break;
  case CONTROL_PASSED:
    m.type = BUS_CTL_PASSED;
    break;
  case CONTROL_SHUTDOWN:
    m.type = BUS_CTL_SHUTDOWN;
    break;
  case CONTROL_PING:
    m.type = BUS_CTL_PING;
    break;
  }
  version_deliver(v, BUS_DELIVER_CONTROL, 0, &m, NULL, NULL, 0);
  return true;
}

void version_control(struct version *v, enum version_control c) {
  v->controls |= c;
  if (v->state == VERSION_RECEIVING) version_deliver_control(v);
}

void version_end(struct version *v) {
  if (v->plain)
    version_kill(v, NULL);
  else
    version_control(v, CONTROL_SHUTDOWN);
}
