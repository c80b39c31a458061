/* rm [-rf] FILE...: removes files; -r: directories with all in them; -f: missing ones are right. */
#include <string.h>

#include "libos/os.h"
#include "libos/pathname.h"

static bool recursive, force;

static int remove_all(const char *path);

static int problem(const char *path) {
  if (force && errno == ENOENT) return 0;
  os_perror(path);
  return 1;
}

static int remove_directory(const char *path) {
  const struct os_dirent *e;
  int failed = 0;
  OS_DIR *dir = os_opendir(path);
  if (!dir) return problem(path);
  while ((e = os_readdir(dir))) {
    char inside[4096];
    if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) continue;
    if ((size_t)snprintf(inside, sizeof inside, "%s/%s", path, e->name) >= sizeof inside) {
      errno = ENAMETOOLONG;
      failed |= problem(path);
      continue;
    }
    failed |= remove_all(inside);
  }
  if (errno) failed |= problem(path);
  os_closedir(dir);
  if (failed) return 1;
  return os_rmdir(path) < 0 ? problem(path) : 0;
}

static int remove_all(const char *path) {
  struct stat st;
  if (os_lstat(path, &st) < 0) return problem(path);
  if (S_ISDIR(st.st_mode) && recursive) return remove_directory(path);
  return os_unlink(path) < 0 ? problem(path) : 0;
}

static bool is_dots(const char *path) {
  size_t n;
  const char *name = pathname_last(path, &n);
  return (n == 1 && (*name == '.' || *name == '/')) || (n == 2 && memcmp(name, "..", 2) == 0);
}

int main(int argc, char **argv) {
  int failed = 0, option;
  os_start();
  while ((option = getopt(argc, argv, "rRf")) != -1) {
    if (option == '?') return 2;
    *(option == 'f' ? &force : &recursive) = true;
  }
  if (optind == argc && !force) {
    fprintf(stderr, "usage: rm [-rf] FILE...\n");
    return 2;
  }
  for (int i = optind; i < argc; i++) {
    if (is_dots(argv[i])) {
      fprintf(stderr, "rm: %s is not removed\n", argv[i]);
      failed = 1;
    } else {
      failed |= remove_all(argv[i]);
    }
  }
  return failed;
}
