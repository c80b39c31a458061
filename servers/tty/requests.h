/* What is asked of the tty server (libsys/if/tty.h, libsys/if/io.h). */
#ifndef TTY_REQUESTS_H
#define TTY_REQUESTS_H

#include "libsys/msg.h"

/** Answers a request, at once or later. @param payload  `m->payload` bytes */
void requests_serve(const msg_t *m, const void *payload);

#endif
