#include "servers/net/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"

#define INBOX_MIN_BYTES 2048u

struct inbox {
  uint32_t start, used, capacity; /* capacity: 0 or a power of two */
  char *data;
};

struct inbox *inbox_new(void) {
  return calloc(1, sizeof(struct inbox));
}

void inbox_free(struct inbox *in) {
  if (!in) return;
  free(in->data);
  free(in);
}

uint32_t inbox_used(const struct inbox *in) {
  return in->used;
}

bool inbox_reserve(struct inbox *in, uint32_t bytes) {
  if (bytes > INBOX_MAX_BYTES - in->used) return false;
  uint32_t need = in->used + bytes;
  if (need <= in->capacity) return true;
  uint32_t capacity = in->capacity ? in->capacity : INBOX_MIN_BYTES;
  while (capacity < need)
    capacity *= 2;
  char *data = malloc(capacity);
  if (!data) return false;
  uint32_t used = inbox_take(in, data, in->used);
  free(in->data);
  *in = (struct inbox){.used = used, .capacity = capacity, .data = data};
  return true;
}
ST_BLOCKS(inbox_reserve, opaque); /* the peer's, or whatever lay there before */

void inbox_put(struct inbox *in, const void *data, uint32_t bytes) {
  if (!bytes) return;
  uint32_t at = (in->start + in->used) & (in->capacity - 1);
  uint32_t first = in->capacity - at < bytes ? in->capacity - at : bytes;
  memcpy(in->data + at, data, first);
  memcpy(in->data, (const char *)data + first, bytes - first);
  in->used += bytes;
}

uint32_t inbox_take(struct inbox *in, void *out, uint32_t max) {
  uint32_t n = in->used < max ? in->used : max;
  if (!n) return 0;
  uint32_t first = in->capacity - in->start < n ? in->capacity - in->start : n;
  memcpy(out, in->data + in->start, first);
  memcpy((char *)out + first, in->data, n - first);
  in->start = (in->start + n) & (in->capacity - 1);
  in->used -= n;
  if (!in->used) in->start = 0;
  return n;
}
