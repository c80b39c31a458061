#include "cli/versions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_executable(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0) return -errno;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) return fd;
  close(fd);
  return -EISDIR;
}

int version_open(const char *root, const char *file, char path[PATH_MAX]) {
  int fd = -ENOENT;
  if (*root && snprintf(path, PATH_MAX, "%s/%s", root, file) < PATH_MAX) fd = open_executable(path);
  if (fd != -ENOENT && fd != -ENOTDIR) return fd;
  snprintf(path, PATH_MAX, "%s", file);
  return open_executable(file);
}
