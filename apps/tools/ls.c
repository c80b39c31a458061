/* ls [-al] [FILE...]: lists directories in the order of names; -a: also names that begin with ".";
 * -l: with permissions, links, user, group, bytes and time. */
#include <string.h>

#include "apps/tools/mode.h"
#include "libos/os.h"

static bool all, detailed;

struct names {
  char **list;
  size_t used, room;
};

static void add(struct names *names, const char *name) {
  if (names->used == names->room) {
    names->room = names->room ? 2 * names->room : 64;
    names->list = realloc(names->list, names->room * sizeof *names->list);
    if (!names->list) os_die(1, "names");
  }
  if (!(names->list[names->used++] = strdup(name))) os_die(1, "names");
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_link(const char *path) {
  char says[4096];
  ssize_t n = os_readlink(path, says, sizeof says - 1);
  if (n < 0) return;
  printf(" -> %.*s", (int)n, says);
}

static int print(const char *path, const char *name) {
  struct stat st;
  char mode[11], time[32];
  struct tm tm;
  if (!detailed) {
    puts(name);
    return 0;
  }
  if (os_lstat(path, &st) < 0) {
    os_perror(path);
    return 1;
  }
  mode_text(st.st_mode, mode);
  gmtime_r(&st.st_mtim.tv_sec, &tm);
  strftime(time, sizeof time, "%Y-%m-%d %H:%M", &tm);
  printf("%s %3llu %5u %5u %10lld %s %s", mode, (unsigned long long)st.st_nlink, st.st_uid,
         st.st_gid, (long long)st.st_size, time, name);
  if (S_ISLNK(st.st_mode)) print_link(path);
  putchar('\n');
  return 0;
}

static int list(const char *path) {
  struct names names = {0};
  const struct os_dirent *e;
  int failed = 0;
  OS_DIR *dir = os_opendir(path);
  if (dir)
    while ((e = os_readdir(dir)))
      if (all || e->name[0] != '.') add(&names, e->name);
  if (!dir || errno) {
    os_perror(path);
    failed = 1;
  }
  if (dir) os_closedir(dir);
  if (names.used) qsort(names.list, names.used, sizeof *names.list, by_name);
  for (size_t i = 0; i < names.used; i++) {
    char whole[8192];
    snprintf(whole, sizeof whole, "%s/%s", path, names.list[i]);
    failed |= print(whole, names.list[i]);
    free(names.list[i]);
  }
  free(names.list);
  return failed;
}

/* Those that are no directories come first. */
static int show(const char *path, bool directories, bool title, bool *first) {
  struct stat st;
  if ((detailed ? os_lstat : os_stat)(path, &st) < 0 && os_lstat(path, &st) < 0) {
    if (!directories) os_perror(path);
    return 1;
  }
  if (S_ISDIR(st.st_mode) != directories) return 0;
  if (!directories) {
    *first = false;
    return print(path, path);
  }
  if (title) printf("%s%s:\n", *first ? "" : "\n", path);
  *first = false;
  return list(path);
}

int main(int argc, char **argv) {
  int failed = 0, option;
  bool first = true;
  os_start();
  while ((option = getopt(argc, argv, "al")) != -1) {
    if (option == '?') return 2;
    *(option == 'a' ? &all : &detailed) = true;
  }
  if (optind == argc) return list(".");
  for (int directories = 0; directories < 2; directories++)
    for (int i = optind; i < argc; i++)
      failed |= show(argv[i], directories, argc - optind > 1, &first);
  return failed;
}
