/* Commands of the shell itself. */
#ifndef SH_BUILTIN_H
#define SH_BUILTIN_H

#include <stdbool.h>

struct builtin {
  const char *name;
  int (*run)(int argc, char **argv);
  bool program; /* there is a program of that name too, for pipelines */
  bool special; /* no function can have its name (POSIX, 2.14) */
};

/** @return NULL when there is none of that name */
const struct builtin *builtin_find(const char *name);
/** Calls `found` for each name. */
void builtins_each(void (*found)(const char *name, void *arg), void *arg);
/** test and [. */
int builtin_test(int argc, char **argv);

#endif
