/* Who shows which console: a client of the control socket, one at a time, has the other ends of its
 * wires until it goes. */
#ifndef PROTEOS_CONSOLE_H
#define PROTEOS_CONSOLE_H

#include <stddef.h>

/** Lends a console, and sends its ends to the client.
 * @param client  its control connection
 * @param name    of the screen's wire; NULL: the first
 * @param why     receives why not
 * @return 0 or a negative errno */
int console_lend(int client, const char *name, char *why, size_t cap);
/** The client goes: its console hears that nobody shows it. */
void console_return(int client);
/** A component has started: whoever shows its screen is told. */
void console_restarted(const char *component);

#endif
