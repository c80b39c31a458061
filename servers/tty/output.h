/* What is shown: the last bytes of it, and how many of those have gone to whoever looks. */
#ifndef TTY_OUTPUT_H
#define TTY_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/annotate.h"
#include "libsys/if/screen.h"

struct output {
  uint64_t written, shown; /* counted from the start; `shown` means nothing while nobody looks */
  bool watched;            /* somebody looks: nothing may be dropped that was not shown */
  uint32_t column;         /* where the next character will be, from 0 */
  uint8_t bytes[SCREEN_KEPT_BYTES]; /* round */
};
ST_FIELD(struct output, bytes, opaque); /* whoever wrote them */

/** Appends bytes. @param translate  line feeds become CR LF
 * @return how many there was room for */
uint32_t output_write(struct output *o, const void *bytes, uint32_t n, bool translate);
/** Whether it would take any. */
bool output_has_room(const struct output *o);

/** Somebody looks from now on, and is shown what is kept, from the beginning of a line. */
void output_attach(struct output *o);
void output_detach(struct output *o);
/** What is to be shown next, in one piece. @return bytes, 0: nothing */
uint32_t output_next(const struct output *o, const uint8_t **bytes);
void output_shown(struct output *o, uint32_t n);

#endif
