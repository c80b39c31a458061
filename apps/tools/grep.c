/* grep [-EFcinqv] PATTERN [FILE...]: prints the lines that match a regular expression.
 *   -E extended expression   -F plain text        -c how many       -i letters alike in both cases
 *   -n with their numbers    -q prints nothing    -v those that do not match
 * Exits with 0 when some do, 1 when none does, 2 when something failed. */
#include <regex.h>
#include <string.h>

#include "libos/os.h"

static struct { bool extended, plain, count, any_case, numbers, quiet, others, names; } how;
static regex_t expression;

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
  case 'n':
    return &how.numbers;
  case 'q':
    return &how.quiet;
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

/* @return how many lines match; -1 when it can't be read */
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
    if (how.quiet) return found;
    if (how.count) continue;
    if (how.names) printf("%s:", name);
    if (how.numbers) printf("%ld:", number);
    puts(line);
  }
  if (ferror(in)) {
    os_perror(name);
    return -1;
  }
  if (how.count && how.names) printf("%s:", name);
  if (how.count && !how.quiet) printf("%ld\n", found);
  return found;
}

static long search_file(const char *path, const char *pattern) {
  if (strcmp(path, "-") == 0) return search(stdin, "(input)", pattern);
  int fd = os_open(path, O_RDONLY);
  FILE *in = fd < 0 ? NULL : os_fdopen(fd, "r");
  if (!in) {
    os_perror(path);
    return -1;
  }
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
  bool any = false, failed = false;
  os_start();
  while ((option = getopt(argc, argv, "EFcinqv")) != -1)
    *option_flag(option) = true;
  if (optind == argc) {
    fprintf(stderr, "usage: grep [-EFcinqv] PATTERN [FILE...]\n");
    return 2;
  }
  const char *pattern = argv[optind++];
  compile(pattern);
  how.names = argc - optind > 1;
  do {
    long found = search_file(optind < argc ? argv[optind] : "-", pattern);
    any |= found > 0;
    failed |= found < 0;
  } while (++optind < argc && !(any && how.quiet));
  return any && (how.quiet || !failed) ? 0 : failed ? 2 : 1;
}
