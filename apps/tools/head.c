/* head [-n LINES | -LINES | -c BYTES] [FILE...]: prints the beginning of files or of its input; 10
 * lines if not said. */
#include <ctype.h>
#include <string.h>

#include "libos/os.h"

static bool bytes; /* count these, not lines */

static int print(FILE *in, long count, const char *name) {
  int c;
  while (count > 0 && (c = getc(in)) != EOF) {
    putchar(c);
    count -= bytes || c == '\n';
  }
  if (!ferror(in)) return 0;
  os_perror(name);
  return 1;
}

static int print_file(const char *path, long count, bool title) {
  static bool before;
  int fd = os_open(path, O_RDONLY);
  FILE *in = fd < 0 ? NULL : os_fdopen(fd, "r");
  if (!in) {
    os_perror(path);
    return 1;
  }
  if (title) printf("%s==> %s <==\n", before ? "\n" : "", path);
  before = true;
  int failed = print(in, count, path);
  fclose(in);
  return failed;
}

static long number(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*text && !*end && n >= 0) return n;
  fprintf(stderr, "head: %s: no number\n", text);
  exit(2);
}

int main(int argc, char **argv) {
  long count = 10;
  int option, failed = 0;
  os_start();
  if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
    count = number(argv[1] + 1);
    optind = 2;
  }
  while ((option = getopt(argc, argv, "n:c:")) != -1) {
    if (option == '?') return 2;
    bytes = option == 'c';
    count = number(optarg);
  }
  if (optind == argc) return print(stdin, count, "input");
  for (int i = optind; i < argc; i++)
    failed |= print_file(argv[i], count, argc - optind > 1);
  return failed;
}
