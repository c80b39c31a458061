#include "servers/pm/groups.h"

#include <errno.h>

bool groups_may_join(const struct caller *c, int32_t group) {
  const struct process *p;
  TAILQ_FOREACH (p, &processes, link)
    if (p->group == group && process_is_alive(p) && (c->user == ROOT || c->user == p->user))
      return true;
  return false;
}

static int set(const struct caller *c, int32_t pid, int32_t group) {
  struct process *p = pid == 0 ? c->process : process_by_pid(pid);
  bool own = p && process_is_alive(p) && (p == c->process || (c->process && p->parent == c->pid));
  if (pid < 0 || group < 0) return -EINVAL;
  if (!own) return -ESRCH;
  if (group == 0) group = p->pid;
  if (group != p->pid && !groups_may_join(c, group)) return -EPERM;
  p->group = group;
  return 0;
}

void groups_set(const msg_t *m) {
  const struct caller c = caller_of(m);
  const struct proc_set_group *r = IPC(m, proc_set_group);
  answer_status(m, set(&c, r->pid, r->group));
}

void groups_count(const msg_t *m) {
  msg_t answer = {.type = m->type};
  IPC_REPLY(&answer, proc_members)->count = process_count_members(IPC(m, proc_members)->group);
  sys_reply(m->token, &answer);
}
