/* cat [FILE...]: prints files, one after the other; "-" or none: its input. */
#include <string.h>

#include "libos/os.h"

static char buffer[65536];

static int print(const char *name) {
  int fd = strcmp(name, "-") == 0 ? 0 : os_open(name, O_RDONLY);
  ssize_t n = -1;
  if (fd >= 0)
    while ((n = os_read(fd, buffer, sizeof buffer)) > 0)
      if (os_write(1, buffer, (size_t)n) < 0) os_die(1, "write");
  if (n < 0) os_perror(name);
  if (fd > 0) os_close(fd);
  return n < 0;
}

int main(int argc, char **argv) {
  int failed = 0;
  os_start();
  if (argc == 1) return print("-");
  for (int i = 1; i < argc; i++)
    failed |= print(argv[i]);
  return failed;
}
