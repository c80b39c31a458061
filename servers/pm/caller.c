#include "servers/pm/caller.h"

struct caller caller_of(const msg_t *m) {
  struct process *p = process_by_endpoint(m->source);
  struct caller c = {.endpoint = m->source, .process = p, .pid = PROCESS_ORPHANAGE};
  if (p) c.pid = p->pid, c.user = p->user, c.gid = p->gid;
  return c;
}

void answer_status(const msg_t *m, int status) {
  const msg_t answer = {.type = m->type, .status = status};
  sys_reply(m->token, &answer);
}
