#include "servers/storage/parked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "libst/annotate.h"

struct parked {
  TAILQ_ENTRY(parked) link;
  uint8_t message[sizeof(msg_t)];
  endpoint_t source;
  uint8_t *payload;
};
ST_FIELD(struct parked, message, opaque); /* the client's, as is the payload */

static TAILQ_HEAD(, parked) parked = TAILQ_HEAD_INITIALIZER(parked);
static bool woken;

static void drop(struct parked *p) {
  TAILQ_REMOVE(&parked, p, link);
  free(p->payload);
  free(p);
}

int parked_add(const msg_t *m, const void *payload) {
  struct parked *p = calloc(1, sizeof *p);
  if (!p) return -ENOMEM;
  if (m->payload) {
    p->payload = malloc(m->payload);
    if (!p->payload) {
      free(p);
      return -ENOMEM;
    }
    memcpy(p->payload, payload, m->payload);
  }
  memcpy(p->message, m, sizeof *m);
  p->source = m->source;
  TAILQ_INSERT_TAIL(&parked, p, link);
  return 0;
}
ST_BLOCKS(parked_add, opaque);

void parked_wake(void) {
  woken = true;
}

void parked_retry(parked_make make) {
  struct parked *p, *next;
  if (!woken) return;
  woken = false;
  for (p = TAILQ_FIRST(&parked); p; p = next) {
    msg_t m;
    next = TAILQ_NEXT(p, link);
    memcpy(&m, p->message, sizeof m);
    if (make(&m, p->payload) == ANSWERED) drop(p);
  }
}

void parked_drop(endpoint_t ep) {
  struct parked *p, *next;
  for (p = TAILQ_FIRST(&parked); p; p = next) {
    next = TAILQ_NEXT(p, link);
    if (p->source == ep) drop(p);
  }
}
