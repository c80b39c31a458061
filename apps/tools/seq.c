/* seq [FIRST] LAST: prints numbers, one a line. */
#include "libos/os.h"

int main(int argc, char **argv) {
  os_start();
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: seq [FIRST] LAST\n");
    return 2;
  }
  long long first = argc == 3 ? atoll(argv[1]) : 1, last = atoll(argv[argc - 1]);
  for (long long i = first; i <= last; i++)
    printf("%lld\n", i);
  return fflush(stdout) ? 1 : 0;
}
