/* What goes over the wire between a console's screen (the tty server) and whoever shows it, beside
 * the bytes that are shown. `prctl console` shows it; the bus says that it has gone.
 *
 * To the screen: control sequences (ECMA-48), of which those with the final byte p are for private
 * use. From the screen, the first thing after an attachment is SCREEN_ATTACH with the same number:
 * what came before is of an earlier one. Then follow the last SCREEN_KEPT_BYTES of what was shown
 * up to now, and what is shown from now on. */
#ifndef PROTEOS_IF_SCREEN_H
#define PROTEOS_IF_SCREEN_H

#define SCREEN_KEPT_BYTES 16384u

/** Somebody shows it from now on. The parameter is any number but 0, new each time. */
#define SCREEN_ATTACH "\x1b[>%up"
/** Nobody does any more. */
#define SCREEN_DETACH "\x1b[>0p"
/** Its size: rows, columns. */
#define SCREEN_SIZE "\x1b[8;%u;%ut"

#define SCREEN_SEQUENCE_MAX 32u /* bytes of one of them */

#endif
