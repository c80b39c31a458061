/* pwd: prints the working directory. */
#include "libos/os.h"

int main(void) {
  char path[4096];
  os_start();
  if (!os_getcwd(path, sizeof path)) os_die(1, "working directory");
  puts(path);
  return 0;
}
