/* sync [FILE...]: waits until files, or all that was written, are kept on the disk. */
#include "libos/os.h"

int main(int argc, char **argv) {
  os_start();
  if (argc == 1 && os_sync() < 0) os_die(1, "storage");
  for (int i = 1; i < argc; i++) {
    int fd = os_open(argv[i], O_RDONLY);
    if (fd < 0 || os_fsync(fd) < 0) os_die(1, "%s", argv[i]);
    os_close(fd);
  }
  return 0;
}
