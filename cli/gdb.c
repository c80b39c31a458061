/* prctl gdb: becomes gdb, attached to a component. The control connection goes along: the
 * instance's deadlines stand still until gdb ends, and with it the connection. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/running.h"

#define ARGUMENTS_MAX 250

/* Asks the instance to let a debugger in. @return the component, or NULL after a message */
static Proteos__ControlReply *ask(int control, char *component) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__DebugRequest debug = PROTEOS__DEBUG_REQUEST__INIT;
  debug.component = component;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_DEBUG;
  request.debug = &debug;
  Proteos__ControlReply *reply = control_ask(control, &request);
  if (reply && reply->n_components == 1) return reply;
  control_refused(reply);
  return NULL;
}

static int become_gdb(const Proteos__ComponentStatus *c, int argc, char **argv) {
  char path[PATH_MAX], pid[16], *command[ARGUMENTS_MAX + 8] = {"gdb", "-p", pid, path};
  int n = 4;
  running_executable(c->pid, c->path, path);
  snprintf(pid, sizeof(pid), "%d", c->pid);
  for (int i = 0; i < argc; i++)
    command[n++] = argv[i];
  execvp("gdb", command);
  if (errno == ENOENT)
    fprintf(stderr, "prctl: there is no gdb here; Debian's package is called gdb\n");
  else
    fprintf(stderr, "prctl: gdb: %s\n", strerror(errno));
  return EXIT_FAILURE;
}

int gdb_command(const struct instance *instance, int argc, char **argv) {
  if (argc < 2 || *argv[1] == '-' || argc > ARGUMENTS_MAX) {
    fprintf(stderr, "usage: prctl gdb COMPONENT [GDB-ARGUMENT] ...\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlReply *reply = ask(control, argv[1]);
  int status = EXIT_FAILURE;
  if (reply) {
    fcntl(control, F_SETFD, 0);
    status = become_gdb(reply->components[0], argc - 2, argv + 2);
    proteos__control_reply__free_unpacked(reply, NULL);
  }
  close(control);
  return status;
}
