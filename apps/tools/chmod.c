/* chmod MODE FILE...: sets permissions, an octal number. */
#include "libos/os.h"

int main(int argc, char **argv) {
  int failed = 0;
  char *end = NULL;
  os_start();
  unsigned long mode = argc > 2 ? strtoul(argv[1], &end, 8) : 0;
  if (argc < 3 || *end || !*argv[1] || mode > 07777) {
    fprintf(stderr, "usage: chmod OCTAL-MODE FILE...\n");
    return 2;
  }
  for (int i = 2; i < argc; i++) {
    if (os_chmod(argv[i], (mode_t)mode) == 0) continue;
    os_perror(argv[i]);
    failed = 1;
  }
  return failed;
}
