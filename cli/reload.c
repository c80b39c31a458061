/* prctl reload: the manifest is checked here first, where every problem can be shown. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/manifest.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/manifest_place.h"

/* Asks which manifest the instance runs by. @return false after a message */
static bool ask_manifest(int control, char path[PATH_MAX]) {
  Proteos__ControlReply *reply = control_status(control);
  if (!reply || !reply->instance) {
    control_refused(reply);
    return false;
  }
  snprintf(path, PATH_MAX, "%s", reply->instance->manifest);
  proteos__control_reply__free_unpacked(reply, NULL);
  return true;
}

static int reload(int control, char *path) {
  struct manifest *m = manifest_load_and_print(path);
  if (!m) return EXIT_FAILURE;
  manifest_free(m);
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__ReloadRequest reload = PROTEOS__RELOAD_REQUEST__INIT;
  reload.manifest = path;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_RELOAD;
  request.reload = &reload;
  return control_send(control, &request, -1) ? control_lost() : control_follow(control);
}

int reload_command(const struct instance *instance, int argc, char **argv) {
  char path[PATH_MAX];
  if (argc > 2 || (argc == 2 && *argv[1] == '-')) {
    fprintf(stderr, "usage: prctl reload [FILE]\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  bool found = argc == 2 ? manifest_place_find(argv[1], path) : ask_manifest(control, path);
  int status = found ? reload(control, path) : EXIT_FAILURE;
  close(control);
  return status;
}
