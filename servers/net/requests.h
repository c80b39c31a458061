/* The requests of libsys/if/sock.h, one function each. Every function answers its request, or keeps
 * its token and answers later. */
#ifndef NET_REQUESTS_H
#define NET_REQUESTS_H

#include "libsys/msg.h"
#include "servers/net/table.h"

void do_socket(const msg_t *m);
void do_bind(const msg_t *m);
void do_listen(const msg_t *m);
void do_accept(const msg_t *m);
void do_connect(const msg_t *m);
void do_send(const msg_t *m, const void *data);
void do_recv(const msg_t *m);
void do_send_from(const msg_t *m);
void do_recv_into(const msg_t *m);
void do_shutdown(const msg_t *m);
void do_close(const msg_t *m);
void do_poll(const msg_t *m);
void do_name(const msg_t *m);
void do_stats(const msg_t *m);
/** IO_DUPLICATE of libsys/if/io.h. */
void do_duplicate(const msg_t *m);
/** Answers with a status and no fields. */
void answer_status(const msg_t *m, int status);

/** Tries again what waits on a socket, now that something has happened to it. */
void requests_retry(struct socket *s);
/** An application has ended: its sockets are closed if it was a program, and dropped, with a reset
 * to their peers, if it was a component. */
void requests_drop_owner(endpoint_t endpoint);

#endif
