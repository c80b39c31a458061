/* ls [-1adhlR] [FILE...]: lists directories in the order of names, a line each.
 *   -a also names that begin with "."   -d directories themselves, not what is in them
 *   -l with permissions, links, user, group, bytes and time     -h bytes in units for people
 *   -R what is in their directories, too */
#include <string.h>

#include "apps/tools/human.h"
#include "apps/tools/mode.h"
#include "libos/os.h"

static bool all, detailed, human, recursive, themselves;

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
  char mode[11], time[32], bytes[16];
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
  if (human)
    human_size((unsigned long long)st.st_size, bytes);
  else
    snprintf(bytes, sizeof bytes, "%lld", (long long)st.st_size);
  printf("%s %3llu %5u %5u %*s %s %s", mode, (unsigned long long)st.st_nlink, st.st_uid, st.st_gid,
         human ? 5 : 10, bytes, time, name);
  if (S_ISLNK(st.st_mode)) print_link(path);
  putchar('\n');
  return 0;
}

static int list(const char *path);

static bool is_directory(const char *path, bool follow) {
  struct stat st;
  return (follow ? os_stat : os_lstat)(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *join(const char *path, const char *name) {
  char *whole;
  bool root = strcmp(path, "/") == 0;
  if (asprintf(&whole, "%s/%s", root ? "" : path, name) < 0) os_die(1, "names");
  return whole;
}

static int list_below(const char *path, const struct names *names) {
  int failed = 0;
  for (size_t i = 0; i < names->used; i++) {
    const char *name = names->list[i];
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    char *whole = join(path, name);
    if (is_directory(whole, false)) {
      printf("\n%s:\n", whole);
      failed |= list(whole);
    }
    free(whole);
  }
  return failed;
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
    char *whole = join(path, names.list[i]);
    failed |= print(whole, names.list[i]);
    free(whole);
  }
  if (recursive) failed |= list_below(path, &names);
  for (size_t i = 0; i < names.used; i++)
    free(names.list[i]);
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
  if ((S_ISDIR(st.st_mode) && !themselves) != directories) return 0;
  if (!directories) {
    *first = false;
    return print(path, path);
  }
  if (title) printf("%s%s:\n", *first ? "" : "\n", path);
  *first = false;
  return list(path);
}

static bool *option_flag(int option) {
  static bool lines; /* -1: so it is */
  switch (option) {
  case 'a':
    return &all;
  case 'd':
    return &themselves;
  case 'h':
    return &human;
  case 'l':
    return &detailed;
  case 'R':
    return &recursive;
  default:
    return &lines;
  }
}

int main(int argc, char **argv) {
  int failed = 0, option;
  bool first = true;
  os_start();
  while ((option = getopt(argc, argv, "1adhlR")) != -1) {
    if (option == '?') return 2;
    *option_flag(option) = true;
  }
  if (optind == argc) argv[--optind] = ".";
  bool titles = recursive || argc - optind > 1;
  for (int directories = 0; directories < 2; directories++)
    for (int i = optind; i < argc; i++)
      failed |= show(argv[i], directories, titles, &first);
  return failed;
}
