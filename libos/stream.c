/* stdio over descriptors, and what programs print when something fails. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "libos/os.h"
#include "libsys/sys.h"

static int fd_of(void *cookie) {
  return (int)(intptr_t)cookie;
}

static ssize_t stream_read(void *cookie, char *data, size_t bytes) {
  return os_read(fd_of(cookie), data, bytes);
}

static ssize_t stream_write(void *cookie, const char *data, size_t bytes) {
  ssize_t n = os_write(fd_of(cookie), data, bytes);
  return n < 0 ? 0 : n; /* fopencookie(3): 0 is the error */
}

static int stream_seek(void *cookie, off64_t *offset, int whence) {
  off_t at = os_lseek(fd_of(cookie), *offset, whence);
  if (at < 0) return -1;
  *offset = at;
  return 0;
}

static int stream_close(void *cookie) {
  return os_close(fd_of(cookie));
}

FILE *os_fdopen(int fd, const char *mode) {
  cookie_io_functions_t functions = {stream_read, stream_write, stream_seek, stream_close};
  return fopencookie((void *)(intptr_t)fd, mode, functions);
}

const char *os_strerror(int error) {
  return sys_strerror(error);
}

const char *os_program(void) {
  return program_invocation_short_name ? program_invocation_short_name : "?";
}

void os_perror(const char *what) {
  int error = errno;
  fflush(stdout);
  fprintf(stderr, "%s: %s%s%s\n", os_program(), what ? what : "", what ? ": " : "",
          os_strerror(error));
  errno = error;
}

void os_die(int status, const char *what, ...) {
  char text[512];
  int error = errno;
  va_list args;
  va_start(args, what);
  vsnprintf(text, sizeof text, what, args);
  va_end(args);
  errno = error;
  os_perror(text);
  exit(status);
}
