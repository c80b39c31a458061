#include "servers/stream/waiters.h"

#include <stdlib.h>
#include <string.h>

#include "servers/stream/handles.h"

static uint32_t waiting[HANDLE_OWNERS]; /* by endpoint */

bool waiter_add(struct waiters *list, const msg_t *m, uint32_t handle, uint32_t bytes,
                const void *data) {
  uint32_t kept = data ? bytes : 0;
  struct waiter *w = waiting[m->source] < WAITERS_MAX ? malloc(sizeof(*w) + kept) : NULL;
  if (!w) return false;
  *w = (struct waiter){.token = m->token, .source = m->source, .handle = handle, .bytes = bytes};
  if (kept) memcpy(w->data, data, kept);
  TAILQ_INSERT_TAIL(list, w, link);
  waiting[m->source]++;
  return true;
}

void waiter_end(struct waiters *list, struct waiter *w) {
  TAILQ_REMOVE(list, w, link);
  waiting[w->source]--;
  free(w);
}
