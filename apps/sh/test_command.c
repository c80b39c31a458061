/* test and [: by the number of arguments, as POSIX has it; with -a, -o, ! and parentheses left
 * out but for a leading !. */
#include <stdlib.h>
#include <string.h>

#include "apps/sh/builtin.h"
#include "apps/sh/expand.h"
#include "libos/os.h"

enum answer { YES = 0, NO = 1, WRONG = 2 };

static enum answer answer(bool yes) {
  return yes ? YES : NO;
}

static enum answer complain(const char *what) {
  shell_complain("test: %s: not understood", what);
  return WRONG;
}

static enum answer of_file(char what, const char *path) {
  struct stat st;
  if (what == 'L' || what == 'h') return answer(os_lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
  if (os_stat(path, &st) < 0) return NO;
  switch (what) {
  case 'd':
    return answer(S_ISDIR(st.st_mode));
  case 'f':
    return answer(S_ISREG(st.st_mode));
  case 's':
    return answer(st.st_size > 0);
  case 'r':
    return answer(os_access(path, R_OK) == 0);
  case 'w':
    return answer(os_access(path, W_OK) == 0);
  case 'x':
    return answer(os_access(path, X_OK) == 0);
  default:
    return YES; /* e */
  }
}

static enum answer unary(const char *operator, const char * value) {
  if (operator[0] != '-' || !operator[1] || operator[2]) return complain(operator);
  if (operator[1] == 'n') return answer(*value);
  if (operator[1] == 'z') return answer(!*value);
  if (operator[1] == 't') return answer(os_isatty(atoi(value)));
  if (strchr("edfsrwxLh", operator[1])) return of_file(operator[1], value);
  return complain(operator);
}

static enum answer compare_numbers(const char *a, const char *operator, const char * b) {
  char *end_a, *end_b;
  long long x = strtoll(a, &end_a, 10), y = strtoll(b, &end_b, 10);
  if (!*a || *end_a) return complain(a);
  if (!*b || *end_b) return complain(b);
  if (strcmp(operator, "-eq") == 0) return answer(x == y);
  if (strcmp(operator, "-ne") == 0) return answer(x != y);
  if (strcmp(operator, "-lt") == 0) return answer(x < y);
  if (strcmp(operator, "-le") == 0) return answer(x <= y);
  if (strcmp(operator, "-gt") == 0) return answer(x > y);
  if (strcmp(operator, "-ge") == 0) return answer(x >= y);
  return complain(operator);
}

static enum answer binary(const char *a, const char *operator, const char * b) {
  if (strcmp(operator, "=") == 0) return answer(strcmp(a, b) == 0);
  if (strcmp(operator, "!=") == 0) return answer(strcmp(a, b) != 0);
  return compare_numbers(a, operator, b);
}

static enum answer test(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[0], "!") == 0) {
    enum answer r = test(argc - 1, argv + 1);
    return r == WRONG ? r : answer(r != YES);
  }
  switch (argc) {
  case 0:
    return NO;
  case 1:
    return answer(*argv[0]);
  case 2:
    return unary(argv[0], argv[1]);
  case 3:
    return binary(argv[0], argv[1], argv[2]);
  default:
    return complain(argv[3]);
  }
}

int builtin_test(int argc, char **argv) {
  if (strcmp(argv[0], "[") == 0 && strcmp(argv[--argc], "]") != 0) {
    shell_complain("[: ] is missing");
    return WRONG;
  }
  return test(argc - 1, argv + 1);
}
