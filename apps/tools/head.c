/* head [-n LINES] [FILE]: prints the first lines of a file or of its input; 10 if not said. */
#include "libos/os.h"

int main(int argc, char **argv) {
  long lines = 10;
  int option, c;
  os_start();
  while ((option = getopt(argc, argv, "n:")) != -1) {
    if (option == '?') return 2;
    lines = strtol(optarg, NULL, 10);
  }
  int fd = optind < argc ? os_open(argv[optind], O_RDONLY) : 0;
  if (fd < 0) os_die(1, "%s", argv[optind]);
  FILE *in = fd ? os_fdopen(fd, "r") : stdin;
  if (!in) os_die(1, "stream");
  while (lines > 0 && (c = getc(in)) != EOF) {
    putchar(c);
    lines -= c == '\n';
  }
  if (ferror(in)) os_die(1, "read");
  return 0;
}
