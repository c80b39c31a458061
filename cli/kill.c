#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"

/* "9", "KILL" or "SIGKILL". @return 0 when it is none */
static int parse_signal(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*text && !*end) return n > 0 && n < NSIG ? (int)n : 0;
  if (strncasecmp(text, "SIG", 3) == 0) text += 3;
  for (int s = 1; s < NSIG; s++) {
    const char *name = sigabbrev_np(s);
    if (name && strcasecmp(name, text) == 0) return s;
  }
  return 0;
}

int kill_command(const struct instance *instance, int argc, char **argv) {
  int signal = argc == 3 ? parse_signal(argv[2]) : SIGKILL;
  bool form = (argc == 2 || argc == 3) && *argv[1] != '-';
  if (form && !signal) fprintf(stderr, "prctl: there is no signal '%s'\n", argv[2]);
  if (!form || !signal) {
    fprintf(stderr, "usage: prctl kill COMPONENT [SIGNAL]\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__KillRequest kill = PROTEOS__KILL_REQUEST__INIT;
  kill.component = argv[1];
  kill.signal = signal;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_KILL;
  request.kill = &kill;
  int status = control_send(control, &request, -1) ? control_lost() : control_follow(control);
  close(control);
  return status;
}
