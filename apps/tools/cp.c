/* cp [-r] FROM... TO: copies files, with -r directories too, and their permissions. */
#include "apps/tools/target.h"

static char buffer[65536];
static bool recursive;

static int copy(const char *from, const char *to);

static int problem(const char *path) {
  os_perror(path);
  return 1;
}

static int copy_bytes(int in, int out, const char *from, const char *to) {
  ssize_t n;
  while ((n = os_read(in, buffer, sizeof buffer)) > 0)
    if (os_write(out, buffer, (size_t)n) < 0) return problem(to);
  return n < 0 ? problem(from) : 0;
}

static int copy_file(const char *from, const char *to, const struct stat *st) {
  struct stat there;
  if (os_stat(to, &there) == 0 && there.st_ino == st->st_ino) {
    fprintf(stderr, "cp: %s and %s are the same file\n", from, to);
    return 1;
  }
  int in = os_open(from, O_RDONLY);
  if (in < 0) return problem(from);
  int out = os_open(to, O_WRONLY | O_CREAT | O_TRUNC, st->st_mode & 0777);
  int failed = out < 0 ? problem(to) : copy_bytes(in, out, from, to);
  os_close(in);
  if (out >= 0) os_close(out);
  return failed;
}

static int copy_link(const char *from, const char *to) {
  char says[4096];
  ssize_t n = os_readlink(from, says, sizeof says - 1);
  if (n < 0) return problem(from);
  says[n] = 0;
  return os_symlink(says, to) < 0 ? problem(to) : 0;
}

/* Whether `to` lies in the directory `from`: copying would never end. */
static bool inside(const struct stat *from, const char *to) {
  char up[4096];
  struct stat st, parent;
  snprintf(up, sizeof up, "%s", to);
  while (os_stat(up, &st) == 0) {
    if (st.st_ino == from->st_ino) return true;
    if (strlen(up) + 4 > sizeof up) return false;
    strcat(up, "/..");
    if (os_stat(up, &parent) < 0 || parent.st_ino == st.st_ino) return false;
  }
  return false;
}

static int copy_directory(const char *from, const char *to, const struct stat *st) {
  const struct os_dirent *e;
  int failed = 0;
  if (os_mkdir(to, (st->st_mode & 0777) | 0700) < 0 && errno != EEXIST) return problem(to);
  if (inside(st, to)) {
    fprintf(stderr, "cp: %s: is inside of %s\n", to, from);
    return 1;
  }
  OS_DIR *dir = os_opendir(from);
  if (!dir) return problem(from);
  while ((e = os_readdir(dir))) {
    char one[4096], two[4096];
    if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) continue;
    snprintf(one, sizeof one, "%s/%s", from, e->name);
    snprintf(two, sizeof two, "%s/%s", to, e->name);
    failed |= copy(one, two);
  }
  if (errno) failed |= problem(from);
  os_closedir(dir);
  return failed;
}

static int copy(const char *from, const char *to) {
  struct stat st;
  if ((recursive ? os_lstat : os_stat)(from, &st) < 0) return problem(from);
  if (S_ISLNK(st.st_mode)) return copy_link(from, to);
  if (!S_ISDIR(st.st_mode)) return copy_file(from, to, &st);
  if (recursive) return copy_directory(from, to, &st);
  fprintf(stderr, "cp: %s is a directory (-r copies it)\n", from);
  return 1;
}

int main(int argc, char **argv) {
  int failed = 0, option;
  os_start();
  while ((option = getopt(argc, argv, "rR")) != -1) {
    if (option == '?') return 2;
    recursive = true;
  }
  if (argc - optind < 2) {
    fprintf(stderr, "usage: cp [-r] FROM... TO\n");
    return 2;
  }
  const char *last = argv[argc - 1];
  if (argc - optind > 2 && !is_directory(last)) {
    fprintf(stderr, "cp: %s is no directory\n", last);
    return 1;
  }
  for (int i = optind; i < argc - 1; i++) {
    char path[4096];
    failed |= copy(argv[i], target(argv[i], last, path, sizeof path));
  }
  return failed;
}
