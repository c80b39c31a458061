/* wc [-lwc] [FILE...]: counts lines, words and bytes; all three unless some are asked for. */
#include <ctype.h>
#include <string.h>

#include "libos/os.h"

struct count {
  unsigned long long lines, words, bytes;
};
static bool lines, words, bytes;

static void print(const struct count *c, const char *name) {
  const char *space = "";
  if (lines) printf("%llu", c->lines), space = " ";
  if (words) printf("%s%llu", space, c->words), space = " ";
  if (bytes) printf("%s%llu", space, c->bytes);
  printf("%s%s\n", *name ? " " : "", name);
}

static int count(const char *path, struct count *total) {
  static char buffer[65536];
  struct count c = {0};
  bool in_word = false;
  ssize_t n = -1;
  int fd = *path && strcmp(path, "-") != 0 ? os_open(path, O_RDONLY) : 0;
  while (fd >= 0 && (n = os_read(fd, buffer, sizeof buffer)) > 0) {
    c.bytes += (unsigned long long)n;
    for (ssize_t i = 0; i < n; i++) {
      bool space = isspace((unsigned char)buffer[i]);
      c.lines += buffer[i] == '\n';
      c.words += !space && !in_word;
      in_word = !space;
    }
  }
  if (n < 0) os_perror(path);
  if (fd > 0) os_close(fd);
  if (n < 0) return 1;
  print(&c, path);
  total->lines += c.lines;
  total->words += c.words;
  total->bytes += c.bytes;
  return 0;
}

int main(int argc, char **argv) {
  struct count total = {0};
  int failed = 0, option;
  os_start();
  while ((option = getopt(argc, argv, "lwc")) != -1) {
    if (option == '?') return 2;
    *(option == 'l' ? &lines : option == 'w' ? &words : &bytes) = true;
  }
  if (!lines && !words && !bytes) lines = words = bytes = true;
  if (optind == argc) return count("", &total);
  for (int i = optind; i < argc; i++)
    failed |= count(argv[i], &total);
  if (argc - optind > 1) print(&total, "total");
  return failed;
}
