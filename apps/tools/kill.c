/* kill [-SIGNAL | -s SIGNAL] PROCESS...: sends a signal, by name or number, TERM if not said; a
 * negative number is a group. kill -l: prints the signals. */
#include "apps/tools/signal_names.h"
#include "libos/os.h"

int main(int argc, char **argv) {
  int signal, failed = 0, first;
  os_start();
  if (argc == 2 && strcmp(argv[1], "-l") == 0) {
    signals_print();
    return 0;
  }
  const char *said = signal_option(argc, argv, &first, &signal);
  if (signal < 0) {
    fprintf(stderr, "kill: %s: no such signal\n", said);
    return 2;
  }
  if (first >= argc) {
    fprintf(stderr, "usage: kill [-SIGNAL | -s SIGNAL] PROCESS...\n");
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
