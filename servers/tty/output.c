#include "servers/tty/output.h"

#include "servers/tty/columns.h"

static uint64_t oldest(const struct output *o) {
  return o->written > SCREEN_KEPT_BYTES ? o->written - SCREEN_KEPT_BYTES : 0;
}

static uint32_t room(const struct output *o) {
  return SCREEN_KEPT_BYTES - (o->watched ? (uint32_t)(o->written - o->shown) : 0);
}

bool output_has_room(const struct output *o) {
  return room(o) >= 2; /* a line feed becomes two */
}

static void count_column(struct output *o, uint8_t byte) {
  if (byte == '\r' || byte == '\n')
    o->column = 0;
  else if (byte == '\b')
    o->column -= o->column > 0;
  else if (byte == '\t')
    o->column += COLUMNS_OF_TAB - o->column % COLUMNS_OF_TAB;
  else
    o->column += byte >= ' ' && byte != 0x7F && !columns_continues(byte);
}

static void put(struct output *o, uint8_t byte) {
  o->bytes[o->written++ % SCREEN_KEPT_BYTES] = byte;
  count_column(o, byte);
}

uint32_t output_write(struct output *o, const void *bytes, uint32_t n, bool translate) {
  const uint8_t *from = bytes;
  uint32_t i;
  for (i = 0; i < n && output_has_room(o); i++) {
    if (translate && from[i] == '\n') put(o, '\r');
    put(o, from[i]);
  }
  return i;
}

void output_attach(struct output *o) {
  o->watched = true;
  o->shown = oldest(o);
  if (!o->shown) return;
  /* The line that was cut is not shown, unless it is all there is. */
  for (uint64_t at = o->shown; at < o->written; at++) {
    if (o->bytes[at % SCREEN_KEPT_BYTES] != '\n') continue;
    o->shown = at + 1;
    return;
  }
}

void output_detach(struct output *o) {
  o->watched = false;
}

uint32_t output_next(const struct output *o, const uint8_t **bytes) {
  uint32_t at = (uint32_t)(o->shown % SCREEN_KEPT_BYTES), until_end = SCREEN_KEPT_BYTES - at;
  uint64_t n = o->watched ? o->written - o->shown : 0;
  *bytes = o->bytes + at;
  return n < until_end ? (uint32_t)n : until_end;
}

void output_shown(struct output *o, uint32_t n) {
  o->shown += n;
}
