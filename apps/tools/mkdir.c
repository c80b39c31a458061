/* mkdir [-p] DIRECTORY...: makes directories; -p: with those above, and existing ones are right. */
#include <string.h>

#include "libos/os.h"

static bool is_directory(const char *path) {
  struct stat st;
  return os_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int make(const char *path, bool parents) {
  if (os_mkdir(path, 0777) == 0) return 0;
  return parents && errno == EEXIST && is_directory(path) ? 0 : -1;
}

static int make_above(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    int r = make(path, true);
    if (r < 0) os_perror(path);
    *slash = '/';
    if (r < 0) return -1;
  }
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0, option;
  bool parents = false;
  os_start();
  while ((option = getopt(argc, argv, "p")) != -1) {
    if (option == '?') return 2;
    parents = true;
  }
  if (optind == argc) {
    fprintf(stderr, "usage: mkdir [-p] DIRECTORY...\n");
    return 2;
  }
  for (int i = optind; i < argc; i++) {
    if (parents && make_above(argv[i]) < 0) {
      failed = 1;
    } else if (make(argv[i], parents) < 0) {
      os_perror(argv[i]);
      failed = 1;
    }
  }
  return failed;
}
