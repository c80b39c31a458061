/* Whom this component may talk to, as the manifest says and KERN_HELLO told. */
#include <errno.h>
#include <string.h>

#include "libsys/runtime.h"

const struct bus_edge *edge_to(endpoint_t ep) {
  for (uint32_t i = 0; i < runtime.hello.nedges; i++)
    if (runtime.edges[i].endpoint == ep) return &runtime.edges[i];
  return NULL;
}

static bool permits(const struct bus_edge *edge, unsigned right) {
  return edge && edge->rights & right;
}

/* What is not known may be new: the manifest can be reloaded. What was taken away the bus refuses.
 */
int edge_check(endpoint_t dst, unsigned right) {
  if (!permits(edge_to(dst), right)) {
    runtime_learn_edges();
    if (!permits(edge_to(dst), right)) return -EPERM;
  }
  return runtime.live ? 0 : -SYS_ENOTLIVE;
}

static endpoint_t find(const char *name) {
  for (uint32_t i = 0; i < runtime.hello.nedges; i++)
    if (strncmp(runtime.edges[i].name, name, BUS_NAME_MAX) == 0) return runtime.edges[i].endpoint;
  return -ENOENT;
}

endpoint_t sys_lookup(const char *name) {
  endpoint_t found = find(name);
  if (found > 0) return found;
  runtime_learn_edges();
  return find(name);
}

const char *sys_name(endpoint_t ep) {
  if (ep == SYS_KERNEL) return "bus";
  if (ep == runtime.hello.self) return runtime.hello.name;
  const struct bus_edge *edge = edge_to(ep);
  return edge ? edge->name : "?";
}

endpoint_t sys_self(void) {
  return runtime.hello.self;
}

int sys_inherited(const char *name) {
  for (uint32_t i = 0; i < runtime.hello.ninherited; i++)
    if (strncmp(runtime.inherited[i].name, name, BUS_NAME_MAX) == 0) return runtime.inherited[i].fd;
  return -ENOENT;
}
