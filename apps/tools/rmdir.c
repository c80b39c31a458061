/* rmdir DIRECTORY...: removes empty directories. */
#include "libos/os.h"

int main(int argc, char **argv) {
  int failed = 0;
  os_start();
  for (int i = 1; i < argc; i++) {
    if (os_rmdir(argv[i]) == 0) continue;
    os_perror(argv[i]);
    failed = 1;
  }
  return failed;
}
