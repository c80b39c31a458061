#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

/* What follows -name or --name in `arg`: "" or "=VALUE"; NULL when it is another word. */
static const char *after_name(const char *arg, const char *name) {
  if (*arg != '-') return NULL;
  arg += arg[1] == '-' ? 2 : 1;
  size_t n = strlen(name);
  return strncmp(arg, name, n) == 0 && (arg[n] == 0 || arg[n] == '=') ? arg + n : NULL;
}

static void take_out(int *argc, char **argv, int at, int words) {
  memmove(argv + at, argv + at + words, (size_t)(*argc - at - words + 1) * sizeof(*argv));
  *argc -= words;
}

const char *option_value(int *argc, char **argv, const char *name) {
  for (int i = 1; i < *argc; i++) {
    const char *rest = after_name(argv[i], name);
    if (!rest || (*rest == 0 && i + 1 == *argc)) continue;
    const char *value = *rest ? rest + 1 : argv[i + 1];
    take_out(argc, argv, i, *rest ? 1 : 2);
    return value;
  }
  return NULL;
}

bool option_flag(int *argc, char **argv, const char *name) {
  for (int i = 1; i < *argc; i++) {
    const char *rest = after_name(argv[i], name);
    if (!rest || *rest) continue;
    take_out(argc, argv, i, 1);
    return true;
  }
  return false;
}

void option_wrong(const char *fmt, va_list ap) {
  fprintf(stderr, "prctl: ");
  vfprintf(stderr, fmt, ap);
  putc('\n', stderr);
}
