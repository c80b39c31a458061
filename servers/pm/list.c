#include "servers/pm/list.h"

#include <errno.h>
#include <string.h>

#include "servers/pm/caller.h"

uint64_t list_cpu_us(const struct process *p) {
  uint64_t us = 0;
  bool runs = p->phase == PROCESS_STARTING || p->phase == PROCESS_RUNNING;
  if (!runs) return p->cpu_us;
  return kern_usage(p->program, &us) == 0 ? us : 0;
}

static enum proc_state state_of(const struct process *p) {
  switch (p->phase) {
  case PROCESS_GATHERING:
  case PROCESS_STARTING:
    return p->stopped ? PROC_IS_STOPPED : PROC_STARTING;
  case PROCESS_RUNNING:
    return p->stopped ? PROC_IS_STOPPED : PROC_RUNNING;
  case PROCESS_ENDED:
    break;
  }
  return PROC_ZOMBIE;
}

struct proc_info list_describe(const struct process *p) {
  struct proc_info i = {.pid = p->pid,
                        .parent = p->parent,
                        .group = p->group,
                        .endpoint = p->program.endpoint,
                        .user = p->user,
                        .gid = p->gid,
                        .state = state_of(p),
                        .status = p->status,
                        .started_us = p->started_us,
                        .cpu_us = list_cpu_us(p)};
  memcpy(i.name, p->name, sizeof(i.name));
  return i;
}

#define FIT (SYS_PAYLOAD_MAX / sizeof(struct proc_info))

void list_answer(const msg_t *m) {
  static struct proc_info list[FIT]; /* of the answer */
  const struct process *p;
  const msg_t answer = {.type = m->type};
  size_t n = 0;
  TAILQ_FOREACH (p, &processes, link)
    if (p->pid > IPC(m, proc_list)->after && n < FIT) list[n++] = list_describe(p);
  sys_reply_bulk(m->token, &answer, list, n * sizeof(list[0]));
}

void list_get(const msg_t *m) {
  const struct proc_get *r = IPC(m, proc_get);
  const struct process *p = r->endpoint ? process_by_endpoint(r->endpoint) : process_by_pid(r->pid);
  msg_t answer = {.type = m->type, .status = p ? 0 : -ESRCH};
  struct proc_get_reply *reply = IPC_REPLY(&answer, proc_get);
  if (p) {
    reply->pid = p->pid;
    reply->parent = p->parent;
    reply->group = p->group;
    reply->user = p->user;
    reply->gid = p->gid;
  }
  sys_reply(m->token, &answer);
}
