#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/json.h"

static void print_json(const Proteos__ControlReply *r) {
  const Proteos__InstanceStatus *i = r->instance;
  printf("{");
  json_string("instance", i->name, ", ");
  json_string("state", i->state, ", ");
  json_string("root", i->root, ", ");
  json_string("manifest", i->manifest, ", ");
  printf("\"loader_pid\": %d, \"busd_pid\": %d,\n \"urls\": [", i->loader_pid, i->busd_pid);
  for (size_t u = 0; u < i->n_urls; u++)
    printf("%s\"%s\"", u ? ", " : "", i->urls[u]);
  printf("],\n \"components\": [\n");
  for (size_t n = 0; n < r->n_components; n++) {
    const Proteos__ComponentStatus *c = r->components[n];
    printf("  {");
    json_string("name", c->name, ", ");
    json_string("build_id", c->build_id, ", ");
    json_string("state", c->state, ", ");
    json_string("path", c->path, ", ");
    printf("\"pid\": %d, \"messages\": %" PRIu64 ", \"updates\": %u, \"restarts\": %u, "
           "\"endpoint\": %u, \"memory_bytes\": %" PRIu64 ", \"descriptors\": %u, "
           "\"cpu_us\": %" PRIu64 ", \"queued\": %u, \"calls_in_flight\": %u, \"hung\": %u, "
           "\"recovered\": %u}%s\n",
           c->pid, c->messages, c->updates, c->restarts, c->endpoint, c->memory_bytes,
           c->descriptors, c->cpu_us, c->queued, c->calls_in_flight, c->hung, c->recovered,
           n + 1 < r->n_components ? "," : "");
  }
  printf(" ]}\n");
}

static void print_table(const Proteos__ControlReply *r) {
  const Proteos__InstanceStatus *i = r->instance;
  printf("instance %s: %s, busd pid %d, loader pid %d\n", i->name, i->state, i->busd_pid,
         i->loader_pid);
  for (size_t u = 0; u < i->n_urls; u++)
    printf("  %s\n", i->urls[u]);
  printf("%-14s %-12s %7s %-11s %10s %8s %8s %9s\n", "COMPONENT", "VERSION", "PID", "STATE",
         "MESSAGES", "UPDATES", "RESTARTS", "MEMORY");
  for (size_t n = 0; n < r->n_components; n++) {
    const Proteos__ComponentStatus *c = r->components[n];
    printf("%-14s %-12.12s %7d %-11s %10" PRIu64 " %8u %8u %6" PRIu64 " KB\n", c->name,
           *c->build_id ? c->build_id : "-", c->pid, c->state, c->messages, c->updates, c->restarts,
           c->memory_bytes / 1024);
  }
}

int status_command(const struct instance *instance, int argc, char **argv) {
  bool json = option_flag(&argc, argv, "json");
  if (argc != 1) {
    fprintf(stderr, "usage: prctl status [--json]\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlReply *reply = control_status(control);
  if (!reply || !reply->instance) return control_refused(reply);
  if (json)
    print_json(reply);
  else
    print_table(reply);
  proteos__control_reply__free_unpacked(reply, NULL);
  close(control);
  return EXIT_SUCCESS;
}
