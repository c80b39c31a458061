/* The program that the console runs: started when somebody comes, and again when it has ended. */
#ifndef TTY_GETTY_H
#define TTY_GETTY_H

#include <stdbool.h>

#include "libsys/msg.h"

/** @param program  its name; "": the console runs none */
void getty_init(const char *program);
/** Somebody looks at the console, or a key was pressed.
 * @return whether that was what starts the program, and means nothing else */
bool getty_wake(void);
/** Whether a reply is for it, which it takes then. */
bool getty_reply(const msg_t *m);

#endif
