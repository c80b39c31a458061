/* What a component leaves in its log when it crashes. */
#ifndef LIBSYS_CRASH_H
#define LIBSYS_CRASH_H

#include "libsys/msg.h"

/** Installs handlers for the signals of a crash. They print the signal, the fault address, the
 * build id, the stack with function names from the executable's metadata, and the last messages;
 * then the process dies of the signal. */
void crash_install(void);

/** Remembers a message that was received, for the report. */
void crash_note_message(const msg_t *m);

#endif
