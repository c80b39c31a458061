#include "cli/versions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

int version_open(const char *root, const char *file) {
  char below[PATH_MAX];
  int fd = -ENOENT;
  if (*root && snprintf(below, sizeof(below), "%s/%s", root, file) < (int)sizeof(below))
    fd = open_executable(below);
  return fd == -ENOENT || fd == -ENOTDIR ? open_executable(file) : fd;
}
