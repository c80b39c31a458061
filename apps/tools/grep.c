/* grep [-EFcilnqrv] PATTERN [FILE...]: prints the lines that match a regular expression.
 *   -E extended expression   -F plain text        -c how many       -i letters alike in both cases
 *   -n with their numbers    -q prints nothing    -v those that do not match
 *   -l only the files' names -r what is in directories, of the working directory if none is said
 * Exits with 0 when some do, 1 when none does, 2 when something failed. */
#include <regex.h>
#include <string.h>

#include "libos/os.h"

static struct {
  bool extended, plain, count, any_case, numbers, quiet, others, files_only, recursive;
  bool names; /* before the lines */
} how;
static regex_t expression;
static bool failed; /* something can't be read */

static long fail(const char *name) {
  os_perror(name);
  failed = true;
  return 0;
}

static bool *option_flag(int option) {
  switch (option) {
  case 'E':
    return &how.extended;
  case 'F':
    return &how.plain;
  case 'c':
    return &how.count;
  case 'i':
    return &how.any_case;
  case 'l':
    return &how.files_only;
  case 'n':
    return &how.numbers;
  case 'q':
    return &how.quiet;
  case 'r':
    return &how.recursive;
  case 'v':
    return &how.others;
  default:
    exit(2);
  }
}

static bool matches(const char *line, const char *pattern) {
  bool found;
  if (how.plain)
    found = (how.any_case ? strcasestr(line, pattern) : strstr(line, pattern)) != NULL;
  else
    found = regexec(&expression, line, 0, NULL, 0) == 0;
  return found != how.others;
}

/* @return how many lines match */
static long search(FILE *in, const char *name, const char *pattern) {
  static char *line;
  static size_t room;
  ssize_t n;
  long number = 0, found = 0;
  while ((n = getline(&line, &room, in)) > 0) {
    number++;
    if (line[n - 1] == '\n') line[n - 1] = 0;
    if (!matches(line, pattern)) continue;
    found++;
    if (how.files_only && !how.quiet) puts(name);
    if (how.quiet || how.files_only) return found;
    if (how.count) continue;
    if (how.names) printf("%s:", name);
    if (how.numbers) printf("%ld:", number);
    puts(line);
  }
  if (ferror(in)) return fail(name);
  bool tells = how.count && !how.quiet && !how.files_only;
  if (tells && how.names) printf("%s:", name);
  if (tells) printf("%ld\n", found);
  return found;
}

static long search_file(const char *path, const char *pattern);

/* Links are left out: they may lead back here. */
static long search_in(const char *directory, const char *name, const char *pattern) {
  struct stat st;
  char *path;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 0;
  if (asprintf(&path, "%s%s%s", directory, *directory ? "/" : "", name) < 0) os_die(2, "names");
  bool link = os_lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
  long found = link ? 0 : search_file(path, pattern);
  free(path);
  return found;
}

/* @param path  "": the working directory */
static long search_directory(const char *path, const char *pattern) {
  const struct os_dirent *e;
  long found = 0;
  OS_DIR *dir = os_opendir(*path ? path : ".");
  if (!dir) return fail(path);
  while (!(found && how.quiet) && (e = os_readdir(dir)))
    found += search_in(path, e->name, pattern);
  os_closedir(dir);
  return found;
}

static bool is_directory(const char *path) {
  struct stat st;
  return !*path || (os_stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static long search_file(const char *path, const char *pattern) {
  if (how.recursive && is_directory(path)) return search_directory(path, pattern);
  if (strcmp(path, "-") == 0) return search(stdin, "(input)", pattern);
  int fd = os_open(path, O_RDONLY);
  FILE *in = fd < 0 ? NULL : os_fdopen(fd, "r");
  if (!in) return fail(path);
  long found = search(in, path, pattern);
  fclose(in);
  return found;
}

static void compile(const char *pattern) {
  char text[128];
  int flags = REG_NOSUB | (how.extended ? REG_EXTENDED : 0) | (how.any_case ? REG_ICASE : 0);
  int error = how.plain ? 0 : regcomp(&expression, pattern, flags);
  if (!error) return;
  regerror(error, &expression, text, sizeof text);
  fprintf(stderr, "grep: %s: %s\n", pattern, text);
  exit(2);
}

int main(int argc, char **argv) {
  int option;
  bool any = false;
  os_start();
  while ((option = getopt(argc, argv, "EFcilnqrv")) != -1)
    *option_flag(option) = true;
  if (optind == argc) {
    fprintf(stderr, "usage: grep [-EFcilnqrv] PATTERN [FILE...]\n");
    return 2;
  }
  const char *pattern = argv[optind++];
  compile(pattern);
  bool several = optind == argc || is_directory(argv[optind]);
  how.names = argc - optind > 1 || (how.recursive && several);
  do {
    const char *path = optind < argc ? argv[optind] : how.recursive ? "" : "-";
    any |= search_file(path, pattern) > 0;
  } while (++optind < argc && !(any && how.quiet));
  return any && (how.quiet || !failed) ? 0 : failed ? 2 : 1;
}
