/* The line discipline: what becomes of the characters that are typed (POSIX, General Terminal
 * Interface). It knows no bus; servers/tty/host.h is what it needs. */
#ifndef TTY_LDISC_H
#define TTY_LDISC_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/annotate.h"
#include "libsys/if/tty.h"
#include "servers/tty/input.h"

enum { LDISC_LINE_BYTES = 4096 /* of one line, its line feed included */ };

struct ldisc {
  struct tty_modes modes;
  struct input input;
  uint32_t used, column;          /* of the line: bytes, and where on the screen it begins */
  bool literal;                   /* the next character means nothing special */
  uint8_t line[LDISC_LINE_BYTES]; /* that is being edited */
};
ST_FIELD(struct ldisc, line, opaque);

/** All flags, the usual control characters, nothing typed. */
void ldisc_init(struct ldisc *l);
/** One byte was typed. */
void ldisc_type(struct ldisc *l, uint8_t byte);
/** Other modes. A line that was being edited can be read when lines are no more. */
void ldisc_set(struct ldisc *l, const struct tty_modes *modes);
/** Drops all that was typed and not read. */
void ldisc_drop(struct ldisc *l);

#endif
