#include "servers/pm/credentials.h"

#include <errno.h>

#include "libsys/if/fs.h"

#define COOKIE_OF_NOBODY 0 /* whatever the answer is */

int credentials_tell(const struct process *p, uint64_t cookie) {
  msg_t m = {.type = FS_CREDENTIALS};
  endpoint_t storage = sys_lookup("storage");
  if (storage < 0) return -ENOENT;
  *IPC(&m, fs_credentials) =
      (struct fs_credentials){{{.process = p->program.endpoint, .user = p->user, .group = p->gid}}};
  return sys_call(storage, &m, NULL, 0, cookie);
}

void credentials_tell_on(void) {
  struct process *p;
  TAILQ_FOREACH (p, &processes, link) {
    if (!p->untold || !p->program.endpoint) continue;
    if (credentials_tell(p, COOKIE_OF_NOBODY) == -EAGAIN) return;
    p->untold = false;
  }
}

void credentials_tell_all(void) {
  struct process *p;
  TAILQ_FOREACH (p, &processes, link)
    p->untold = true;
  credentials_tell_on();
}
