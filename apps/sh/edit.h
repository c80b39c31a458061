/* A line that is being typed: bytes of a terminal go in, the text, and what the terminal is to
 * show, come out. Nothing here knows where the bytes come from.
 *
 * The line has one row of the screen, behind the prompt, and is scrolled sideways in it. The cursor
 * is moved relative to where it is, so it need not be known where the prompt begins. */
#ifndef SH_EDIT_H
#define SH_EDIT_H

#include <stdint.h>

#include "apps/sh/keys.h"
#include "apps/sh/text.h"

enum { EDIT_BYTES_MAX = 4095 };

enum edit_state {
  EDIT_GOES_ON,
  EDIT_DONE,
  EDIT_DROPPED, /* by ^C */
  EDIT_ENDED,   /* the end of the input, by ^D */
};

struct edit {
  struct text line;
  size_t cursor;      /* between characters of it */
  struct text output; /* what is to be shown; whoever has shown it sets `used` to 0 */

  struct keys keys;
  enum key last; /* the key before */
  unsigned back; /* how far back in the history; 0: not in it */
  char *draft;   /* what was typed before going back there */

  char *prompt;
  unsigned columns;  /* of the window */
  unsigned room;     /* those of them for the line */
  size_t first;      /* the line is shown from here on */
  unsigned at, wide; /* on the screen, from there on: the cursor's column, columns in use */
};

/** @param columns  of the window */
void edit_begin(struct edit *edit, const char *prompt, unsigned columns);
/** Takes a byte. A line that is done is in the history then. */
enum edit_state edit_type(struct edit *edit, uint8_t byte);
/** Shows all of it again, in a window of this size. */
void edit_show_again(struct edit *edit, unsigned columns);
/** Frees what it has. */
void edit_end(struct edit *edit);

#endif
