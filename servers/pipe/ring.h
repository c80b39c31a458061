/* The bytes of one pipe, in the order in which they were written. */
#ifndef PIPE_RING_H
#define PIPE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/annotate.h"
#include "libsys/if/pipe.h"

struct ring {
  uint32_t first, used;
  uint8_t bytes[PIPE_BYTES];
};
ST_FIELD(struct ring, bytes, opaque); /* the writers' */

/** Whether its numbers can be right: a crash may have left it in the middle of a change. */
bool ring_is_sound(const struct ring *r);
/** How many bytes it would still take. */
uint32_t ring_room(const struct ring *r);
/** Appends `n` bytes, at most ring_room(). */
void ring_put(struct ring *r, const void *bytes, uint32_t n);
/** The oldest `n` bytes, at most `used`, in one piece.
 * @param copy  room for `n` bytes, used when they do not lie in one
 * @return the ring's own or `copy`; valid until the ring changes */
const void *ring_look(const struct ring *r, uint32_t n, void *copy);
/** Drops the oldest `n` bytes, at most `used`. */
void ring_drop(struct ring *r, uint32_t n);

#endif
