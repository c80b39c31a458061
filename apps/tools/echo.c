/* echo [-n] [TEXT...]: prints its arguments; -n: without a line feed. */
#include <string.h>

#include "libos/os.h"

int main(int argc, char **argv) {
  os_start();
  bool end = !(argc > 1 && strcmp(argv[1], "-n") == 0);
  for (int i = end ? 1 : 2; i < argc; i++)
    printf("%s%s", argv[i], i + 1 < argc ? " " : "");
  if (end) putchar('\n');
  return fflush(stdout) ? 1 : 0;
}
