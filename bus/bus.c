#include "bus/bus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/abi.h"

struct bus bus;

uint64_t bus_now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

struct endpoint *bus_endpoint(endpoint_t id) {
  return id >= 1 && id <= (endpoint_t)bus.nendpoints ? &bus.endpoints[id] : NULL;
}

struct endpoint *bus_with_right(enum manifest_kernel right) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (bus.endpoints[id].component->kernel & right) return &bus.endpoints[id];
  return NULL;
}

struct endpoint *bus_update_manager(void) {
  return bus_with_right(MANIFEST_KERNEL_UPDATE);
}

void bus_log(const char *fmt, ...) {
  char line[1024];
  time_t now = time(NULL);
  struct tm tm;
  va_list ap;
  size_t n = strftime(line, sizeof(line), "%F %T busd: ", localtime_r(&now, &tm));
  va_start(ap, fmt);
  n += (size_t)vsnprintf(line + n, sizeof(line) - n, fmt, ap);
  va_end(ap);
  if (n > sizeof(line) - 2) n = sizeof(line) - 2;
  line[n++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, n);
  (void)written; /* there is nowhere else to say it */
}

/* Whoever may talk to another may be notified by it: that is how answers to `look again` go. */
static void add_edge(endpoint_t from, endpoint_t to, uint32_t rights, uint32_t deadline_ms) {
  struct edge *edge = &bus.endpoints[from].edges[to];
  edge->rights |= rights;
  if (deadline_ms) edge->deadline_ms = deadline_ms;
  bus.endpoints[to].edges[from].rights |= BUS_RIGHT_NOTIFY;
}

static void add_edges(const struct manifest_component *c, endpoint_t id) {
  for (unsigned i = 0; i < c->calls_count; i++)
    add_edge(id, manifest_find(bus.manifest, c->calls[i].to),
             BUS_RIGHT_SENDREC | BUS_RIGHT_CALL | BUS_RIGHT_NOTIFY, c->calls[i].deadline_ms);
  for (unsigned i = 0; i < c->sends_count; i++)
    add_edge(id, manifest_find(bus.manifest, c->sends[i]), BUS_RIGHT_CALL | BUS_RIGHT_NOTIFY, 0);
}

static void set_edges(void) {
  for (unsigned i = 0; i < bus.nendpoints; i++)
    memset(bus.endpoints[i + 1].edges, 0, sizeof(bus.endpoints[i + 1].edges));
  for (unsigned i = 0; i < bus.nendpoints; i++)
    add_edges(&bus.manifest->components[i], (endpoint_t)i + 1);
}

int bus_init(struct manifest *m, const char *instance, const char *runtime_dir) {
  bus = (struct bus){.manifest = m, .instance = instance, .runtime_dir = runtime_dir};
  bus.started_us = bus_now_us();
  bus.loader_pid = getppid();
  bus.nendpoints = m->components_count;
  /* A reload may add some, and pointers to them are everywhere. */
  bus.endpoints = calloc(ENDPOINTS_MAX, sizeof(*bus.endpoints));
  if (!bus.endpoints) return -ENOMEM;
  for (unsigned i = 0; i < bus.nendpoints; i++) {
    int error = endpoint_init(&bus.endpoints[i + 1], (endpoint_t)i + 1, &m->components[i]);
    if (error) return error;
  }
  set_edges();
  return 0;
}

void bus_adopt(struct manifest *m) {
  bus.manifest = m;
  bus.nendpoints = m->components_count;
  bus.reloaded = true;
  for (unsigned i = 0; i < bus.nendpoints; i++)
    bus.endpoints[i + 1].component = &m->components[i];
  set_edges();
}

void bus_deinit(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    endpoint_deinit(&bus.endpoints[id]);
  free(bus.endpoints);
  bus.endpoints = NULL;
  bus.nendpoints = 0;
}
