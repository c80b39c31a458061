/* Signals by name, for kill and the shell. */
#ifndef PROTEOS_TOOLS_SIGNAL_NAMES_H
#define PROTEOS_TOOLS_SIGNAL_NAMES_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** @param text  "TERM", "SIGTERM" or "15" @return the number, or -1 */
static inline int signal_number(const char *text) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*text && !*end) return n >= 0 && n <= 64 ? (int)n : -1;
  if (strncasecmp(text, "SIG", 3) == 0) text += 3;
  for (int s = 1; s < 32; s++) {
    const char *name = sigabbrev_np(s);
    if (name && strcasecmp(text, name) == 0) return s;
  }
  return -1;
}

/** kill -l. */
static inline void signals_print(void) {
  for (int s = 1; s < 32; s++)
    printf("%2d %-6s%s", s, sigabbrev_np(s), s % 8 && s < 31 ? "  " : "\n");
}

/** The options of kill: -SIGNAL or -s SIGNAL.
 * @param first   receives where the processes begin
 * @param signal  receives it, TERM if not said; -1: there is no such
 * @return what was said, or NULL */
static inline const char *signal_option(int argc, char **argv, int *first, int *signal) {
  const char *said = NULL;
  *first = 1;
  if (argc > 2 && argv[1][0] == '-') {
    bool apart = strcmp(argv[1], "-s") == 0, none = strcmp(argv[1], "--") == 0;
    said = none ? NULL : apart ? argv[2] : argv[1] + 1;
    *first = apart ? 3 : 2;
  }
  *signal = said ? signal_number(said) : SIGTERM;
  return said;
}

#endif
