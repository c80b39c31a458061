#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/runtime.h"

/* One write a line, so that lines of several writers do not mix. */
static void log_line(const char *fmt, va_list ap) {
  char line[1024];
  int n =
      snprintf(line, sizeof(line), "%s: ", runtime.hello.name[0] ? runtime.hello.name : "libsys");
  n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
  if (n > (int)sizeof(line) - 2) n = (int)sizeof(line) - 2;
  if (line[n - 1] != '\n') line[n++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, (size_t)n);
  (void)written; /* there is nowhere to report it */
}

void sys_log(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  log_line(fmt, ap);
  va_end(ap);
}

void runtime_die(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  log_line(fmt, ap);
  va_end(ap);
  _exit(EXIT_FAILURE);
}
