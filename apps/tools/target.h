/* Where cp, mv and ln put something: the last argument, or a name in it if it is a directory. */
#ifndef PROTEOS_TOOLS_TARGET_H
#define PROTEOS_TOOLS_TARGET_H

#include <string.h>

#include "libos/os.h"
#include "libos/pathname.h"

static inline bool is_directory(const char *path) {
  struct stat st;
  return os_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/** @return the path for `from` at `last`, in `path` if it had to be made; exits if it is too long
 */
static inline const char *target(const char *from, const char *last, char *path, size_t bytes) {
  size_t n;
  if (!is_directory(last)) return last;
  const char *name = pathname_last(from, &n);
  if ((size_t)snprintf(path, bytes, "%s/%.*s", last, (int)n, name) < bytes) return path;
  errno = ENAMETOOLONG;
  os_die(1, "%s", last);
}

#endif
