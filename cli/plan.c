#include "cli/plan.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/build_id.h"
#include "cli/beside.h"
#include "cli/running.h"

static const char *const st_diff_places[] = {"../libst/diff/st-diff", "st-diff", NULL};

/* A process to be updated, in the bus's words. */
struct process {
  int pid;
  const char *path, *build_id;
};

static struct process find_process(const Proteos__ControlReply *status, const char *component) {
  const Proteos__InstanceStatus *i = status->instance;
  if (strcmp(component, "busd") == 0)
    return (struct process){i->busd_pid, i->busd_path, i->busd_build_id};
  for (size_t n = 0; n < status->n_components; n++) {
    const Proteos__ComponentStatus *c = status->components[n];
    if (strcmp(c->name, component) == 0) return (struct process){c->pid, c->path, c->build_id};
  }
  return (struct process){0, "", ""};
}

/* @return false when what it runs cannot be read any more */
static bool find_executable(const struct process *p, char path[PATH_MAX]) {
  char id[64];
  running_executable(p->pid, p->path, path);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  build_id_read(fd, id, sizeof(id));
  close(fd);
  return strcmp(id, p->build_id) == 0;
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

void plan_print(const char *component, const Proteos__ControlReply *status, int file) {
  char tool[PATH_MAX], running[PATH_MAX], new[64];
  const struct process p = find_process(status, component);
  printf("\nPlan for %s:\n", component);
  if (!find_executable(&p, running)) {
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
