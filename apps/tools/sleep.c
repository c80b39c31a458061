/* sleep SECONDS: waits; fractions are right. */
#include "libos/os.h"

int main(int argc, char **argv) {
  char *end = NULL;
  os_start();
  double seconds = argc == 2 ? strtod(argv[1], &end) : -1;
  if (!(seconds >= 0 && seconds < 1e9) || *end) {
    fprintf(stderr, "usage: sleep SECONDS\n");
    return 2;
  }
  struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  if (os_nanosleep(&t, NULL) < 0) os_die(1, "sleep");
  return 0;
}
