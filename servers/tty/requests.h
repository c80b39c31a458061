/* What is asked of the tty server (libsys/if/tty.h, libsys/if/io.h), and the answers, at once or
 * later. */
#ifndef TTY_REQUESTS_H
#define TTY_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/msg.h"

/** Before anything else. */
void requests_init(void);

/** Answers a request. @param payload  `m->payload` bytes */
void requests_serve(const msg_t *m, const void *payload);
/** Moves on whatever waits; once a turn. */
void requests_settle(void);
/** An endpoint is gone, with all its handles and waits. */
void requests_drop_owner(endpoint_t owner);

/** Gives a handle of the console. @return 0: too many */
uint32_t requests_open(endpoint_t owner);
/** Ends one, if it is there. */
bool requests_close(endpoint_t owner, uint32_t handle);
/** Modes as they are at first, and nothing typed. */
void requests_begin_session(void);

#endif
