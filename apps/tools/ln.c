/* ln [-s] TO... NAME: makes links, with -s symbolic ones. */
#include "apps/tools/target.h"

int main(int argc, char **argv) {
  int failed = 0, option;
  bool symbolic = false;
  os_start();
  while ((option = getopt(argc, argv, "s")) != -1) {
    if (option == '?') return 2;
    symbolic = true;
  }
  if (argc - optind < 2) {
    fprintf(stderr, "usage: ln [-s] TO... NAME\n");
    return 2;
  }
  for (int i = optind; i < argc - 1; i++) {
    char path[4096];
    const char *name = target(argv[i], argv[argc - 1], path, sizeof path);
    if ((symbolic ? os_symlink : os_link)(argv[i], name) == 0) continue;
    os_perror(name);
    failed = 1;
  }
  return failed;
}
