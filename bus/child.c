#include "bus/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct child *children;
static unsigned nchildren, capacity;

int child_add(uint32_t id, pid_t pid, int report) {
  if (nchildren == capacity) {
    unsigned more = capacity ? 2 * capacity : 32;
    struct child *grown = realloc(children, more * sizeof(*grown));
    if (!grown) return -ENOMEM;
    children = grown;
    capacity = more;
  }
  children[nchildren++] = (struct child){id, pid, report};
  return 0;
}

struct child *child_by_id(uint32_t id) {
  for (unsigned i = 0; i < nchildren; i++)
    if (children[i].id == id) return &children[i];
  return NULL;
}

struct child *child_by_pid(pid_t pid) {
  for (unsigned i = 0; i < nchildren; i++)
    if (children[i].pid == pid) return &children[i];
  return NULL;
}

/* As /proc has it; 0: there is no such process. */
static char state_of(const struct child *c) {
  char path[64], state = 0;
  snprintf(path, sizeof(path), "/proc/%d/stat", c->pid);
  FILE *f = fopen(path, "re");
  if (!f) return 0;
  /* "PID (NAME) STATE": the name may hold anything but ends with the last parenthesis. */
  char line[256] = "";
  if (fgets(line, sizeof(line), f)) {
    const char *end = strrchr(line, ')');
    if (end && end[1] == ' ') state = end[2];
  }
  fclose(f);
  return state;
}

bool child_is_able(const struct child *c) {
  char state = state_of(c);
  return state && !strchr("TtZX", state);
}

void child_remove(struct child *c) {
  if (c->report >= 0) close(c->report);
  *c = children[--nchildren];
}

void child_kill_all(int signal) {
  for (unsigned i = 0; i < nchildren; i++)
    kill(children[i].pid, signal);
}

bool child_any_alive(void) {
  for (unsigned i = 0; i < nchildren; i++) {
    char state = state_of(&children[i]);
    if (state && !strchr("ZX", state)) return true;
  }
  return false;
}
