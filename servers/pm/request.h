/* PROC_SPAWN's payload, taken apart. */
#ifndef PM_REQUEST_H
#define PM_REQUEST_H

#include <stddef.h>

#include "libsys/if/proc.h"

/* All of it lies in the payload. */
struct spawn_request {
  struct proc_spawn head;
  const char *fds;      /* struct proc_fd, not aligned */
  const char *strings;  /* the program, and its arguments */
  size_t program_bytes; /* of those */
  const char *env;
  size_t env_bytes;
};

/** @return 0, or -EINVAL: it is not what its head says, or has no argument */
int request_parse(const char *payload, size_t bytes, struct spawn_request *r);

#endif
