/* What is asked of the pipe server (libsys/if/pipe.h, libsys/if/io.h), and the answers, at once or
 * later. Each answers its message. */
#ifndef PIPE_REQUESTS_H
#define PIPE_REQUESTS_H

#include "libsys/msg.h"

void do_make(const msg_t *m);
void do_read(const msg_t *m);
/** @param data  `m->payload` bytes */
void do_write(const msg_t *m, const void *data);
void do_close(const msg_t *m);
void do_duplicate(const msg_t *m);
void do_watch(const msg_t *m);

void answer_status(const msg_t *m, int status);

/** An endpoint is gone, with all its handles and waits. */
void requests_drop_owner(endpoint_t owner);

#endif
