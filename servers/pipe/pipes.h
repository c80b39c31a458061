/* Pipes: what lies in each, how many handles either end has, and who waits there. */
#ifndef PIPE_PIPES_H
#define PIPE_PIPES_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/pipe/ring.h"
#include "servers/stream/waiters.h"

enum { PIPES_MAX = 256 };

/* An object of servers/stream/handles.h is one end of a pipe. */
enum pipe_end { PIPE_READER, PIPE_WRITER, PIPE_ENDS };

struct pipe {
  uint32_t number;             /* from 1 */
  uint32_t handles[PIPE_ENDS]; /* how many there are of either end; a pipe without any is freed */
  struct waiters waiting[PIPE_ENDS];
  struct ring ring;
};

/** Makes one without handles. @return NULL: there are too many, or no memory */
struct pipe *pipe_new(void);
/** Frees one for which nobody waits. */
void pipe_free(struct pipe *p);

uint32_t pipe_object(const struct pipe *p, enum pipe_end end);
/** The pipe of an object that exists, and which end of it that is. */
struct pipe *pipe_of(uint32_t object, enum pipe_end *end);
/** Whether all agrees with the handles: a crash may have left it in the middle of a change. */
bool pipes_are_sound(void);
/** Which events there are at an end, enum io_event. */
uint32_t pipe_events(const struct pipe *p, enum pipe_end end);

#endif
