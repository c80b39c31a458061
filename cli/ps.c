/* prctl ps: the processes of applications, as the process manager tells them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/json.h"

static void print_json(const Proteos__ProcessStatus *p, bool first) {
  printf("%s {", first ? "" : ",\n");
  json_string("name", p->name, ", ");
  json_string("state", p->state, ", ");
  printf("\"pid\": %d, \"parent\": %d, \"group\": %d, \"user\": %u, \"gid\": %u, \"endpoint\": %u, "
         "\"cpu_us\": %" PRIu64 "}",
         p->pid, p->parent, p->group, p->user, p->gid, p->endpoint, p->cpu_us);
}

static void print_line(const Proteos__ProcessStatus *p) {
  printf("%7d %7d %7d %7u %-9s %9.2f  %s\n", p->pid, p->parent, p->group, p->user, p->state,
         (double)p->cpu_us / 1e6, p->name);
}

static void print_head(bool json) {
  if (json)
    printf("[");
  else
    printf("%7s %7s %7s %7s %-9s %9s  %s\n", "PID", "PPID", "GROUP", "USER", "STATE", "CPU",
           "NAME");
}

/* @param printed  how many have been, in all */
static void print(const Proteos__ControlReply *r, bool json, size_t *printed) {
  for (size_t i = 0; i < r->n_processes; i++) {
    if (json)
      print_json(r->processes[i], *printed == 0);
    else
      print_line(r->processes[i]);
    ++*printed;
  }
}

/* Prints what comes, until the last reply. @param r  the first one */
static int follow(int control, Proteos__ControlReply *r, bool json) {
  size_t printed = 0;
  for (bool last = false; !last; r = last ? NULL : control_receive(control)) {
    if (!r || r->status) return control_refused(r);
    if (printed == 0) print_head(json);
    print(r, json, &printed);
    last = r->last;
    proteos__control_reply__free_unpacked(r, NULL);
  }
  if (json) printf("]\n");
  return EXIT_SUCCESS;
}

int ps_command(const struct instance *instance, int argc, char **argv) {
  bool json = option_flag(&argc, argv, "json");
  if (argc != 1) {
    fprintf(stderr, "usage: prctl ps [--json]\n");
    return EXIT_USAGE;
  }
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__ProcessesRequest processes = PROTEOS__PROCESSES_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_PROCESSES;
  request.processes = &processes;
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  int status = follow(control, control_ask(control, &request), json);
  close(control);
  return status;
}
