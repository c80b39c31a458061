/* prctl start, prctl stop. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"

static int ask(const struct instance *instance, const Proteos__ControlRequest *request) {
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  int status = control_send(control, request, -1) ? control_lost() : control_follow(control);
  close(control);
  return status;
}

static int usage(const char *command) {
  fprintf(stderr, "usage: prctl %s COMPONENT\n", command);
  return EXIT_USAGE;
}

int start_command(const struct instance *instance, int argc, char **argv) {
  if (argc != 2 || *argv[1] == '-') return usage(argv[0]);
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StartRequest start = PROTEOS__START_REQUEST__INIT;
  start.component = argv[1];
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_START;
  request.start = &start;
  return ask(instance, &request);
}

int stop_command(const struct instance *instance, int argc, char **argv) {
  if (argc != 2 || *argv[1] == '-') return usage(argv[0]);
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StopRequest stop = PROTEOS__STOP_REQUEST__INIT;
  stop.component = argv[1];
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_STOP;
  request.stop = &stop;
  return ask(instance, &request);
}
