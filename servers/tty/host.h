/* What the line discipline needs from its surroundings: the component gives it from its screen and
 * the process manager, the unit tests from a harness. */
#ifndef TTY_HOST_H
#define TTY_HOST_H

#include <stdint.h>

/** Shows bytes, processed as output is. */
void host_echo(const void *bytes, uint32_t n);
/** The column at which the next character will be shown, from 0. */
uint32_t host_column(void);
/** Sends a signal to the foreground process group, and ends the waits of readers. */
void host_signal(int signal);

#endif
