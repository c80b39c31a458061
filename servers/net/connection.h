/* A socket's TCP control block: lwIP's calls on it, and lwIP's callbacks from it.
 *
 * Callbacks get the socket's handle as their argument. What they learn is noted in the socket and
 * passed to ready.h. Functions return 0 or more, or a negative errno. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include <stdint.h>

#include "servers/net/table.h"

/* What a connection may have in flight. lwIP's compiled-in 64 KB make sender and receiver take
 * turns instead of working at the same time: 400 Mbit/s then need a round trip below 1.3 ms. Its
 * limit of TCP_SND_QUEUELEN segments still holds. */
#define SEND_BUFFER_BYTES (160u * 1024)

int connection_bind(struct socket *s, uint32_t address, uint16_t port);
int connection_listen(struct socket *s, unsigned backlog);
int connection_open(struct socket *s, uint32_t address, uint16_t port);
/** Bytes that are worth sending now: 0 while it is little, lest the application send in
 * small pieces. */
uint32_t connection_room(const struct socket *s);
/** Has SOCK_OUT raised once connection_room() is not 0. */
void connection_want_room(struct socket *s);
/** @return bytes taken; 0 when there is no room. */
int connection_send(struct socket *s, const void *data, uint32_t bytes);
/** Opens the window again after the application has taken `bytes`. */
void connection_consumed(struct socket *s, uint32_t bytes);
/** @param how  enum sock_how */
int connection_shutdown(struct socket *s, unsigned how);
/** Lets go of the control block: what was sent is still delivered. */
void connection_close(struct socket *s);
/** Drops the connection with a reset. */
void connection_abort(struct socket *s);
/** Addresses are in network byte order. -ENOTCONN when there is none. */
int connection_name(const struct socket *s, unsigned which, uint32_t *address, uint16_t *port);

/** Sends what was queued since the last call, once for each connection. */
void connection_flush(void);
/** The driver has room again: sends what was held back, in turn on all connections. */
void connection_retry(void);
/** All frames in flight are lost: sends again at once, instead of after lwIP's time-outs. */
void connection_resend(void);

#endif
