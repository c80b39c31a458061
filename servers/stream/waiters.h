/* Requests of streams that will be answered later, in the order in which they came. */
#ifndef STREAM_WAITERS_H
#define STREAM_WAITERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "libst/annotate.h"
#include "libsys/msg.h"

enum { WAITERS_MAX = 32 /* of one endpoint's, in all of a server's lists */ };

struct waiter {
  TAILQ_ENTRY(waiter) link;
  uint64_t token;
  endpoint_t source;
  uint32_t handle;
  uint32_t bytes; /* a reader's: how many at most; a writer's: how many there are in `data` */
  uint8_t data[];
};
ST_FIELD(struct waiter, data, opaque); /* the writer's */
TAILQ_HEAD(waiters, waiter);

/** Lets a request wait, of an endpoint that has a handle. @param data  what it wants to write,
 * copied; NULL: it reads
 * @return false: too many of its caller's do, or no memory */
bool waiter_add(struct waiters *list, const msg_t *m, uint32_t handle, uint32_t bytes,
                const void *data);
/** Ends its wait. */
void waiter_end(struct waiters *list, struct waiter *w);

#endif
