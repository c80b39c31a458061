#include "servers/storage/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "libsys/sys.h"
#include "servers/storage/volume.h"

struct waiter {
  TAILQ_ENTRY(waiter) link;
  endpoint_t source;
  uint32_t type;
  uint64_t token;
  commit_number number;
};

static TAILQ_HEAD(, waiter) waiters = TAILQ_HEAD_INITIALIZER(waiters);

int sync_add(const msg_t *m, commit_number number) {
  struct waiter *w = calloc(1, sizeof *w);
  if (!w) return -ENOMEM;
  *w = (struct waiter){.source = m->source, .type = m->type, .token = m->token, .number = number};
  TAILQ_INSERT_TAIL(&waiters, w, link);
  return 0;
}

static void end(struct waiter *w) {
  TAILQ_REMOVE(&waiters, w, link);
  free(w);
}

/* They asked one after the other, so their numbers go up. */
void sync_turn_end(void) {
  struct waiter *w;
  while ((w = TAILQ_FIRST(&waiters))) {
    if (!commit_is_done(w->number) && !volume_has_failed()) return;
    const msg_t reply = {.type = w->type | SYS_REPLY_FLAG,
                         .status = volume_has_failed() ? -EIO : 0};
    sys_reply_unchecked(w->token, &reply, NULL, 0);
    end(w);
  }
}

void sync_drop(endpoint_t ep) {
  struct waiter *w, *next;
  for (w = TAILQ_FIRST(&waiters); w; w = next) {
    next = TAILQ_NEXT(w, link);
    if (w->source == ep) end(w);
  }
}
