#include "bus/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/control.h"
#include "bus/executable.h"
#include "bus/lifecycle.h"
#include "bus/process_time.h"
#include "bus/self.h"
#include "bus/wire.h"

#define URLS_MAX 16u

/* Anonymous and shared memory; not the pages of files. Counters of the kernel: cheap for any size.
 */
static uint64_t memory_bytes(int pid) {
  char path[64], line[128];
  unsigned long long kb, sum = 0;
  snprintf(path, sizeof(path), "/proc/%d/status", pid);
  FILE *f = fopen(path, "re");
  if (!f) return 0;
  while (fgets(line, sizeof(line), f))
    if (sscanf(line, "RssAnon: %llu", &kb) == 1 || sscanf(line, "RssShmem: %llu", &kb) == 1)
      sum += kb;
  fclose(f);
  return sum * 1024;
}

static unsigned queued(const struct endpoint *e) {
  const struct request *r;
  unsigned n = 0;
  TAILQ_FOREACH (r, &e->inbox, link)
    n++;
  return n;
}

static unsigned unanswered(const struct endpoint *e) {
  unsigned n = 0;
  for (unsigned i = 0; i < e->nrequests; i++)
    n += e->requests[i].state == REQUEST_QUEUED || e->requests[i].state == REQUEST_DELIVERED;
  return n;
}

static unsigned descriptors(int pid) {
  char path[64];
  unsigned n = 0;
  snprintf(path, sizeof(path), "/proc/%d/fd", pid);
  DIR *d = opendir(path);
  if (!d) return 0;
  for (struct dirent *entry; (entry = readdir(d));)
    n += entry->d_name[0] != '.';
  closedir(d);
  return n;
}

static void describe(const struct endpoint *e, Proteos__ComponentStatus *s) {
  const struct version *v = e->live;
  proteos__component_status__init(s);
  s->name = e->component->name;
  const char *state = lifecycle_given_up(e) ? "given up" : endpoint_state_name(e->state);
  s->state = (char *)(uintptr_t)state;
  s->messages = e->messages;
  s->updates = e->updates;
  s->restarts = e->restarts;
  s->hung = e->hung;
  s->recovered = e->recovered;
  s->program = e->component->program;
  s->endpoint = (uint32_t)e->id;
  s->queued = queued(e);
  s->calls_in_flight = unanswered(e);
  if (!v) return;
  s->build_id = (char *)(uintptr_t)v->build_id;
  s->path = v->path ? v->path : s->path;
  s->pid = v->pid;
  if (v->pid) {
    s->memory_bytes = memory_bytes(v->pid);
    s->descriptors = descriptors(v->pid);
    s->cpu_us = process_time_us(v->pid);
  }
}

int status_send_component(int fd, const struct endpoint *e) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__ComponentStatus component, *list[] = {&component};
  describe(e, &component);
  reply.last = true;
  reply.n_components = 1;
  reply.components = list;
  return control_reply(fd, &reply);
}

static const char *state_name(enum bus_state s) {
  switch (s) {
  case BUS_BOOTING:
    return "booting";
  case BUS_RUNNING:
    return "running";
  case BUS_STOPPING:
    return "stopping";
  }
  return "?";
}

int status_send(int fd) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__InstanceStatus instance = PROTEOS__INSTANCE_STATUS__INIT;
  Proteos__ComponentStatus components[ENDPOINTS_MAX];
  Proteos__ComponentStatus *list[ENDPOINTS_MAX];
  char *urls[URLS_MAX];
  instance.at_us = bus_now_us();
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *e = bus_endpoint(id);
    bool hidden = e->component->removed || e->component->program;
    if (hidden && !e->live) continue;
    describe(e, &components[reply.n_components]);
    list[reply.n_components] = &components[reply.n_components];
    reply.n_components++;
  }
  for (const char *url; instance.n_urls < URLS_MAX && (url = wire_url((unsigned)instance.n_urls));)
    urls[instance.n_urls++] = (char *)(uintptr_t)url;
  instance.urls = urls;
  instance.name = (char *)(uintptr_t)bus.instance;
  instance.root = bus.manifest->root;
  instance.manifest = bus.manifest->path;
  instance.state = (char *)(uintptr_t)state_name(bus.state);
  instance.loader_pid = bus.loader_pid;
  instance.busd_pid = getpid();
  instance.busd_build_id = (char *)(uintptr_t)self_build_id();
  instance.busd_updates = bus.updates;
  char *path = executable_path(self_exe());
  if (path) instance.busd_path = path;
  reply.last = true;
  reply.instance = &instance;
  reply.components = list;
  int error = control_reply(fd, &reply);
  free(path);
  return error;
}
