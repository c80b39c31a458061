/* What was typed and can be read: lines, or bytes as they came. */
#ifndef TTY_INPUT_H
#define TTY_INPUT_H

#include <stdbool.h>
#include <stdint.h>

enum { INPUT_CELLS = 16384 };

enum input_mark {
  INPUT_BYTE, /* the line goes on after it */
  INPUT_LAST, /* the last byte of its line: a read ends here */
  INPUT_END,  /* no byte: a read that begins here gets nothing, the end of the input */
};

struct input_cell {
  uint8_t byte, mark; /* enum input_mark */
};

struct input {
  uint32_t first, used;
  struct input_cell cells[INPUT_CELLS]; /* round */
};

/** Whether its numbers can be right: a crash may have left it in the middle of a change. */
bool input_is_sound(const struct input *in);
uint32_t input_room(const struct input *in);
/** Appends a cell; there must be room. */
void input_put(struct input *in, uint8_t byte, enum input_mark mark);
/** Copies what one read gets: bytes up to the end of a line, at most `max`.
 * @param cells  receives how many cells input_drop() is to drop for it
 * @return bytes; 0: the end */
uint32_t input_look(const struct input *in, uint8_t *bytes, uint32_t max, uint32_t *cells);
void input_drop(struct input *in, uint32_t cells);
/** Makes bytes of lines: their ends mean nothing any more. */
void input_forget_marks(struct input *in);

#endif
