/* Who asks: a process, or a component of the manifest, which acts as root. */
#ifndef PM_CALLER_H
#define PM_CALLER_H

#include "servers/pm/process.h"

struct caller {
  endpoint_t endpoint;
  struct process *process; /* NULL: a component */
  int32_t pid;             /* PROCESS_ORPHANAGE of a component */
  uint32_t user, gid;
};

struct caller caller_of(const msg_t *m);

/** Answers a request with a status and nothing else. */
void answer_status(const msg_t *m, int status);

#endif
