#include "servers/pm/process.h"

#include <stdlib.h>

struct process_list processes = TAILQ_HEAD_INITIALIZER(processes);

static int32_t last_pid = PROCESS_ORPHANAGE;
static unsigned count;

struct process *process_new(void) {
  struct process *p = count < PROCESSES_MAX ? calloc(1, sizeof(*p)) : NULL;
  if (!p) return NULL;
  p->pid = ++last_pid;
  p->limits = (struct limits){NO_LIMIT, NO_LIMIT};
  TAILQ_INSERT_TAIL(&processes, p, link);
  count++;
  return p;
}

void process_free(struct process *p) {
  TAILQ_REMOVE(&processes, p, link);
  count--;
  free(p);
}

struct process *process_by_pid(int32_t pid) {
  struct process *p;
  TAILQ_FOREACH (p, &processes, link)
    if (p->pid == pid) return p;
  return NULL;
}

struct process *process_by_endpoint(endpoint_t endpoint) {
  struct process *p;
  TAILQ_FOREACH (p, &processes, link)
    if (p->program.endpoint && p->program.endpoint == endpoint) return p;
  return NULL;
}

struct process *process_after(int32_t pid) {
  struct process *p;
  TAILQ_FOREACH (p, &processes, link)
    if (p->pid > pid) return p;
  return NULL;
}

bool process_is_alive(const struct process *p) {
  return p->phase != PROCESS_ENDED;
}

unsigned process_count_children(int32_t parent) {
  const struct process *p;
  unsigned n = 0;
  TAILQ_FOREACH (p, &processes, link)
    n += p->parent == parent;
  return n;
}

unsigned process_count_of_user(uint32_t user) {
  const struct process *p;
  unsigned n = 0;
  TAILQ_FOREACH (p, &processes, link)
    n += p->user == user;
  return n;
}

unsigned process_count_members(int32_t group) {
  const struct process *p;
  unsigned n = 0;
  TAILQ_FOREACH (p, &processes, link)
    n += p->group == group && process_is_alive(p);
  return n;
}
