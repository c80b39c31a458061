/* Pipes: what lies in each, how many handles either end has, and who waits there. */
#ifndef PIPE_PIPES_H
#define PIPE_PIPES_H

#include <stdbool.h>
#include <sys/queue.h>

#include "libsys/msg.h"
#include "servers/pipe/ring.h"

enum { PIPES_MAX = 256, PIPE_WAITERS_MAX = 256 };

/* An object of servers/stream/handles.h is one end of a pipe. */
enum pipe_end { PIPE_READER, PIPE_WRITER, PIPE_ENDS };

/* A request that will be answered later. */
struct waiter {
  TAILQ_ENTRY(waiter) link;
  uint64_t token;
  endpoint_t source;
  uint32_t handle;
  uint32_t bytes; /* a reader's: how many at most; a writer's: how many there are in `data` */
  uint8_t data[];
};
TAILQ_HEAD(waiters, waiter);

struct pipe {
  uint32_t number;             /* from 1 */
  uint32_t handles[PIPE_ENDS]; /* how many there are of either end; a pipe without any is freed */
  struct waiters waiting[PIPE_ENDS]; /* in the order in which they came */
  struct ring ring;
};

/** Makes one without handles. @return NULL: there are too many, or no memory */
struct pipe *pipe_new(void);
/** Frees one for which nobody waits. */
void pipe_free(struct pipe *p);

uint32_t pipe_object(const struct pipe *p, enum pipe_end end);
/** The pipe of an object that exists, and which end of it that is. */
struct pipe *pipe_of(uint32_t object, enum pipe_end *end);
/** Which events there are at an end, enum io_event. */
uint32_t pipe_events(const struct pipe *p, enum pipe_end end);

/** Lets a request wait. @param data  what it wants to write, or NULL. @return false: too many do,
 * or no memory */
bool waiter_add(struct pipe *p, enum pipe_end end, const msg_t *m, uint32_t handle, uint32_t bytes,
                const void *data);
/** Ends its wait. */
void waiter_end(struct pipe *p, enum pipe_end end, struct waiter *w);

#endif
