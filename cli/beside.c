#include "cli/beside.h"

#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

bool find_beside(const char *const candidates[], char path[PATH_MAX]) {
  char exe[PATH_MAX] = "";
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return false;
  const char *dir = dirname(exe);
  for (int i = 0; candidates[i]; i++) {
    snprintf(path, PATH_MAX, "%.3800s/%s", dir, candidates[i]);
    if (access(path, R_OK) == 0) return true;
  }
  return false;
}
