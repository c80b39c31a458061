#include "cli/plan.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/beside.h"

static const char *const st_diff_places[] = {"../libst/diff/st-diff", "st-diff", NULL};

static bool is_gone(const char *path) {
  static const char mark[] = " (deleted)";
  size_t n = strlen(path), m = sizeof(mark) - 1;
  return n < m || strcmp(path + n - m, mark) == 0 || access(path, R_OK) != 0;
}

static void run(const char *tool, const char *old, const char *new, int file) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (file >= 0) fcntl(file, F_SETFD, 0);
    execl(tool, "st-diff", old, new, (char *)NULL);
    _exit(127);
  }
  if (pid < 0 || waitpid(pid, NULL, 0) < 0) fprintf(stderr, "prctl: %s cannot be run\n", tool);
}

void plan_print(const char *component, const char *running, int file) {
  char tool[PATH_MAX], new[64];
  printf("\nPlan for %s:\n", component);
  if (is_gone(running)) {
    fprintf(stderr, "prctl: the file of the running version of %s is gone: its plan is not shown\n",
            component);
    return;
  }
  if (!find_beside(st_diff_places, tool)) {
    fprintf(stderr, "prctl: st-diff is not where prctl expects it; build or install again\n");
    return;
  }
  snprintf(new, sizeof(new), "/proc/self/fd/%d", file);
  run(tool, running, file >= 0 ? new : running, file);
}
