#include "bus/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bus/bus.h"

static void set_aside(const char *path) {
  char older[PATH_MAX + 2];
  struct stat st;
  if (stat(path, &st) < 0 || st.st_size < JOURNAL_MAX_BYTES) return;
  snprintf(older, sizeof(older), "%s.1", path);
  rename(path, older);
}

int journal_fd(void) {
  static int fd = -1;
  char path[PATH_MAX];
  if (fd >= 0) return fd;
  snprintf(path, sizeof(path), "%s/journal", bus.runtime_dir);
  set_aside(path);
  fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return fd < 0 ? -errno : fd;
}
