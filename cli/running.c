#include "cli/running.h"

#include <stdio.h>
#include <sys/stat.h>

void running_executable(int pid, const char *name, char path[PATH_MAX]) {
  struct stat running, named;
  snprintf(path, PATH_MAX, "/proc/%d/exe", pid);
  if (stat(path, &running) == 0 &&
      (stat(name, &named) < 0 || running.st_ino != named.st_ino || running.st_dev != named.st_dev))
    return;
  snprintf(path, PATH_MAX, "%s", name); /* also when /proc does not let us look */
}
