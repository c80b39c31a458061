/* kill [-SIGNAL] PROCESS...: sends a signal, by name or number, TERM if not said; a negative number
 * is a group. */
#include "apps/tools/signal_names.h"
#include "libos/os.h"

int main(int argc, char **argv) {
  int signal = SIGTERM, failed = 0, first = 1;
  os_start();
  if (argc > 2 && argv[1][0] == '-') {
    signal = signal_number(argv[first++] + 1);
    if (signal < 0) {
      fprintf(stderr, "kill: %s: no such signal\n", argv[1] + 1);
      return 2;
    }
  }
  if (first >= argc) {
    fprintf(stderr, "usage: kill [-SIGNAL] PROCESS...\n");
    return 2;
  }
  for (int i = first; i < argc; i++) {
    char *end;
    long pid = strtol(argv[i], &end, 10);
    if (!*argv[i] || *end) {
      fprintf(stderr, "kill: %s: no process number\n", argv[i]);
      failed = 1;
    } else if (os_kill((pid_t)pid, signal) < 0) {
      os_perror(argv[i]);
      failed = 1;
    }
  }
  return failed;
}
