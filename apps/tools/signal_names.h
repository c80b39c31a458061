/* Signals by name, for kill and the shell. */
#ifndef PROTEOS_TOOLS_SIGNAL_NAMES_H
#define PROTEOS_TOOLS_SIGNAL_NAMES_H

#include <signal.h>
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

#endif
