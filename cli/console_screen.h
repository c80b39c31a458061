/* prctl's end of a screen's wire (libsys/if/screen.h). */
#ifndef CLI_CONSOLE_SCREEN_H
#define CLI_CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/** Says over the wire how large the window is, if that is known. */
void screen_tell_size(int wire);
/** Attaches to the screen: what comes before its answer is not shown. */
void screen_attach(int wire);
/** Drops from what came over the wire what is not to be shown.
 * @return where the rest begins in `bytes` */
size_t screen_skip(const char *bytes, size_t n);

#endif
