/* mv FROM... TO: renames a file, or moves files into a directory. */
#include "apps/tools/target.h"

int main(int argc, char **argv) {
  int failed = 0;
  os_start();
  if (argc < 3) {
    fprintf(stderr, "usage: mv FROM... TO\n");
    return 2;
  }
  const char *last = argv[argc - 1];
  if (argc > 3 && !is_directory(last)) {
    fprintf(stderr, "mv: %s is no directory\n", last);
    return 1;
  }
  for (int i = 1; i < argc - 1; i++) {
    char path[4096];
    if (os_rename(argv[i], target(argv[i], last, path, sizeof path)) == 0) continue;
    os_perror(argv[i]);
    failed = 1;
  }
  return failed;
}
