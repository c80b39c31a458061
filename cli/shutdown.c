#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"

/* The loader holds the lock until nothing of the instance runs any more. */
static void wait_until_gone(const struct instance *instance) {
  char path[PATH_MAX];
  int fd = open(instance_path(instance, "lock", path), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  flock(fd, LOCK_EX);
  close(fd);
}

int shutdown_command(const struct instance *instance, int argc, char **argv) {
  (void)argv;
  if (argc != 1) {
    fprintf(stderr, "usage: prctl shutdown\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__ShutdownRequest shutdown = PROTEOS__SHUTDOWN_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_SHUTDOWN;
  request.shutdown = &shutdown;
  if (control_send(control, &request, -1)) return control_lost();
  Proteos__ControlReply *reply = control_receive(control);
  int status = reply && reply->status ? EXIT_FAILURE : EXIT_SUCCESS;
  if (reply && *reply->text) puts(reply->text);
  if (reply) proteos__control_reply__free_unpacked(reply, NULL);
  wait_until_gone(instance);
  close(control);
  return status;
}
