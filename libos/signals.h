/* Signals that the program catches: their handlers run inside of library calls. */
#ifndef PROTEOS_OS_SIGNALS_H
#define PROTEOS_OS_SIGNALS_H

#include <stdbool.h>

/** Whether the program has handlers: then nothing may wait where a signal can't end the wait. */
bool signals_caught(void);
/** Whether the program ignores a signal. */
bool signals_ignored(int signal);
/** How many times a handler has run. */
unsigned signals_handled(void);
/** Runs the handlers of what has come. @return whether there was any */
bool signals_take(void);
/** A write without readers: the default action does not return. */
void signals_broken_pipe(void);

#endif
