#include "servers/pipe/ring.h"

#include <string.h>

bool ring_is_sound(const struct ring *r) {
  return r->first < PIPE_BYTES && r->used <= PIPE_BYTES;
}

uint32_t ring_room(const struct ring *r) {
  return PIPE_BYTES - r->used;
}

static uint32_t least(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

void ring_put(struct ring *r, const void *bytes, uint32_t n) {
  uint32_t at = (r->first + r->used) % PIPE_BYTES, until_end = least(n, PIPE_BYTES - at);
  if (n) memcpy(r->bytes + at, bytes, until_end);
  if (n > until_end) memcpy(r->bytes, (const char *)bytes + until_end, n - until_end);
  r->used += n;
}

const void *ring_look(const struct ring *r, uint32_t n, void *copy) {
  uint32_t until_end = PIPE_BYTES - r->first;
  if (n <= until_end) return r->bytes + r->first;
  memcpy(copy, r->bytes + r->first, until_end);
  memcpy((char *)copy + until_end, r->bytes, n - until_end);
  return copy;
}

void ring_drop(struct ring *r, uint32_t n) {
  r->used -= n;
  r->first = r->used ? (r->first + n) % PIPE_BYTES : 0; /* an empty one is in one piece again */
}
