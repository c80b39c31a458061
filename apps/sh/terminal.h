/* The console of an interactive shell: raw while a line is edited, and as it was while commands
 * run. */
#ifndef SH_TERMINAL_H
#define SH_TERMINAL_H

#include <stdbool.h>

#include "apps/sh/text.h"

/** Adds a line that somebody edits, with its line feed.
 * @return false at the end of the input, or when SIGINT came */
bool terminal_read_line(const char *prompt, struct text *line);
/** Has the modes again that were there before the last line. */
void terminal_restore(void);

#endif
