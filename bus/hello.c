#include "bus/hello.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/grants.h"
#include "bus/probation.h"
#include "bus/self.h"
#include "bus/wire.h"
#include "libst/annotate.h"

static uint8_t buffer[SYS_PAYLOAD_MAX];
ST_VAR(buffer, dont_transfer);

static uint8_t *put(uint8_t *at, const void *what, size_t bytes) {
  memcpy(at, what, bytes);
  return at + bytes;
}

static void copy_name(char to[BUS_NAME_MAX], const char *from) {
  memset(to, 0, BUS_NAME_MAX);
  snprintf(to, BUS_NAME_MAX, "%s", from);
}

/* Everybody that it may talk to, or only those that it calls. */
static uint8_t *put_edges(uint8_t *at, const struct endpoint *e, uint32_t rights, uint32_t *n) {
  *n = 0;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    if (!(e->edges[id].rights & rights)) continue;
    struct bus_edge edge = {
        .endpoint = id, .rights = e->edges[id].rights, .deadline_ms = e->edges[id].deadline_ms};
    copy_name(edge.name, bus_endpoint(id)->component->name);
    at = put(at, &edge, sizeof(edge));
    (*n)++;
  }
  return at;
}

static uint8_t *put_wires(uint8_t *at, const struct endpoint *e, uint32_t *n) {
  struct wire_end ends[WIRES_PER_COMPONENT_MAX];
  *n = wire_ends(e, ends);
  for (uint32_t i = 0; i < *n; i++) {
    struct bus_inherited inherited = {.fd = BUS_FD_INHERITED + (int32_t)i};
    copy_name(inherited.name, ends[i].name);
    at = put(at, &inherited, sizeof(inherited));
  }
  return at;
}

static uint32_t sandbox_of(const struct endpoint *e) {
  if (bus.manifest->sandbox == MANIFEST_SANDBOX_NONE) return BUS_SANDBOX_NONE;
  return e->component->trace_syscalls ? BUS_SANDBOX_TRACE : BUS_SANDBOX_ON;
}

const void *hello_make(const struct version *v, uint32_t *bytes) {
  const struct endpoint *e = v->endpoint;
  struct bus_hello hello = {.version = BUS_ABI_VERSION,
                            .self = e->id,
                            .start = v->start,
                            .incarnation = e->incarnation,
                            .calls_max = e->nrequests - 2,
                            .calls_in_flight = e->calls_in_flight,
                            .sandbox = sandbox_of(e),
                            .keep = e->component->recover == MANIFEST_RECOVER_STATE};
  copy_name(hello.name, e->component->name);
  copy_name(hello.instance, bus.instance);
  uint8_t *at = buffer + sizeof(hello);
  at = put_edges(at, e, ~0u, &hello.nedges);
  at = put_wires(at, e, &hello.ninherited);
  uint8_t *names = at;
  for (unsigned i = 0; i < e->component->syscalls_count; i++) {
    size_t n = strlen(e->component->syscalls[i]) + 1;
    if (at + n > buffer + sizeof(buffer)) break;
    at = put(at, e->component->syscalls[i], n);
  }
  hello.syscalls_bytes = (uint32_t)(at - names);
  if (v->options_bytes <= (size_t)(buffer + sizeof(buffer) - at)) {
    hello.options_bytes = v->options_bytes;
    at = put(at, v->options, v->options_bytes);
  }
  put(buffer, &hello, sizeof(hello));
  *bytes = (uint32_t)(at - buffer);
  return buffer;
}

const void *hello_info(const struct endpoint *e, uint32_t *bytes) {
  struct kern_info info = {.endpoint = e->id,
                           .state = e->state,
                           .pid = e->live ? e->live->pid : 0,
                           .updates = e->updates,
                           .messages = e->messages,
                           .probation_ms = probation_left_ms(e)};
  copy_name(info.name, e->component->name);
  if (e->live) memcpy(info.build_id, e->live->build_id, sizeof(info.build_id));
  uint8_t *end = put_edges(buffer + sizeof(info), e, BUS_RIGHT_SENDREC, &info.nedges);
  char given[NEEDS_GIVEN_MAX];
  info.given = (uint32_t)grants_list(bus.manifest, e->component, given);
  end = put(end, given, info.given);
  put(buffer, &info, sizeof(info));
  *bytes = (uint32_t)(end - buffer);
  return buffer;
}

const void *hello_info_of_busd(uint32_t *bytes) {
  struct kern_info info = {.endpoint = SYS_KERNEL,
                           .state = ENDPOINT_RUNNING,
                           .pid = getpid(),
                           .updates = bus.updates,
                           .probation_ms = probation_longest_ms()};
  copy_name(info.name, "busd");
  snprintf(info.build_id, sizeof(info.build_id), "%s", self_build_id());
  put(buffer, &info, sizeof(info));
  *bytes = sizeof(info);
  return buffer;
}
