#include "cli/beside.h"

#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

bool beside(const char *place, char path[PATH_MAX]) {
  char exe[PATH_MAX] = "";
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return false;
  return snprintf(path, PATH_MAX, "%s/%s", dirname(exe), place) < PATH_MAX;
}

bool find_beside(const char *const candidates[], char path[PATH_MAX]) {
  for (int i = 0; candidates[i]; i++)
    if (beside(candidates[i], path) && access(path, R_OK) == 0) return true;
  return false;
}
