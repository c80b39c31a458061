#include "servers/tty/input.h"

static struct input_cell *cell(struct input *in, uint32_t i) {
  return &in->cells[(in->first + i) % INPUT_CELLS];
}

bool input_is_sound(const struct input *in) {
  return in->first < INPUT_CELLS && in->used <= INPUT_CELLS;
}

uint32_t input_room(const struct input *in) {
  return INPUT_CELLS - in->used;
}

void input_put(struct input *in, uint8_t byte, enum input_mark mark) {
  *cell(in, in->used++) = (struct input_cell){byte, (uint8_t)mark};
}

uint32_t input_look(const struct input *in, uint8_t *bytes, uint32_t max, uint32_t *cells) {
  uint32_t n = 0;
  for (*cells = 0; *cells < in->used && n < max;) {
    const struct input_cell *c = &in->cells[(in->first + *cells) % INPUT_CELLS];
    if (c->mark == INPUT_END && n) break; /* the next read's */
    ++*cells;
    if (c->mark == INPUT_END) break;
    bytes[n++] = c->byte;
    if (c->mark == INPUT_LAST) break;
  }
  return n;
}

void input_drop(struct input *in, uint32_t cells) {
  in->first = (in->first + cells) % INPUT_CELLS;
  in->used -= cells;
}

void input_forget_marks(struct input *in) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < in->used; i++)
    if (cell(in, i)->mark != INPUT_END)
      *cell(in, kept++) = (struct input_cell){cell(in, i)->byte, INPUT_BYTE};
  in->used = kept;
}
