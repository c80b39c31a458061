#include "servers/pipe/pipes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "servers/stream/handles.h"

static struct pipe *pipes[PIPES_MAX]; /* by number - 1 */

struct pipe *pipe_new(void) {
  uint32_t i = 0;
  while (i < PIPES_MAX && pipes[i])
    i++;
  struct pipe *p = i < PIPES_MAX ? calloc(1, sizeof(*p)) : NULL;
  if (!p) return NULL;
  p->number = i + 1;
  TAILQ_INIT(&p->waiting[PIPE_READER]);
  TAILQ_INIT(&p->waiting[PIPE_WRITER]);
  pipes[i] = p;
  return p;
}

void pipe_free(struct pipe *p) {
  pipes[p->number - 1] = NULL;
  free(p);
}

uint32_t pipe_object(const struct pipe *p, enum pipe_end end) {
  return p->number * PIPE_ENDS + end;
}

struct pipe *pipe_of(uint32_t object, enum pipe_end *end) {
  *end = object % PIPE_ENDS;
  return pipes[object / PIPE_ENDS - 1];
}

static bool is_sound(const struct pipe *p, uint32_t number) {
  for (enum pipe_end end = 0; end < PIPE_ENDS; end++)
    if (p->handles[end] != handle_count(number * PIPE_ENDS + end)) return false;
  return p->number == number && ring_is_sound(&p->ring) &&
         (p->handles[PIPE_READER] || p->handles[PIPE_WRITER]);
}

bool pipes_are_sound(void) {
  for (uint32_t i = 0; i < PIPES_MAX; i++) {
    bool has_handles = handle_count((i + 1) * PIPE_ENDS) || handle_count((i + 1) * PIPE_ENDS + 1);
    if (pipes[i] ? !is_sound(pipes[i], i + 1) : has_handles) return false;
  }
  return handle_largest_object() < (PIPES_MAX + 1) * PIPE_ENDS;
}

uint32_t pipe_events(const struct pipe *p, enum pipe_end end) {
  if (end == PIPE_READER) {
    bool ended = !p->handles[PIPE_WRITER];
    return (p->ring.used || ended ? IO_IN : 0) | (ended ? IO_HUP : 0);
  }
  if (!p->handles[PIPE_READER]) return IO_OUT | IO_HUP;
  return ring_room(&p->ring) >= PIPE_ATOMIC && TAILQ_EMPTY(&p->waiting[PIPE_WRITER]) ? IO_OUT : 0;
}
