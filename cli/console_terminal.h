/* The terminal that prctl runs in, while it shows a console: every key goes to the console. */
#ifndef CLI_CONSOLE_TERMINAL_H
#define CLI_CONSOLE_TERMINAL_H

#include <stdbool.h>

/** Takes over standard input if it is a terminal: no echo, no lines, no signals of its own. Once
 * more, when it may have been changed meanwhile. */
void terminal_begin(void);
/** Gives it back as it was. Nothing happens if it was not taken. */
void terminal_end(void);
/** Whether keys come from a terminal. */
bool terminal_has_keys(void);
/** Its size. @return false: it has none */
bool terminal_size(unsigned *rows, unsigned *columns);

#endif
