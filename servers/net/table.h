/* The sockets, by handle, and their owners. Nothing here knows lwIP. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

#include "servers/net/layout.h"

/** Makes a socket in state SOCKET_NEW. @return NULL when the table is full or memory is lacking. */
struct socket *socket_new(endpoint_t owner);
/** Frees a socket; its control block must be gone or detached, and nobody wait on it. */
void socket_free(struct socket *s);
/** @return the socket, or NULL. */
struct socket *socket_at(uint32_t handle);
/** The same, only if `owner` has it (servers/net/share.h) and it has been handed out. */
struct socket *socket_of(endpoint_t owner, uint32_t handle);
/** Iterates: the first socket with a handle greater than `after`, or NULL. */
struct socket *socket_after(uint32_t after);
unsigned socket_count(void);

/** Moves a socket to a new state. Every legal transition is listed there; another one is a bug. */
void socket_become(struct socket *s, enum socket_state next);

/** Connections that wait to be accepted on a listening socket. */
unsigned socket_waiting(const struct socket *listener);
/** The oldest of them, or NULL. */
struct socket *socket_oldest(const struct socket *listener);
/** Puts a connection in the listener's queue. */
void socket_enqueue(struct socket *s, const struct socket *listener);

/** The record of an endpoint that uses sockets, made when there is none.
 * @return NULL when there are too many. */
struct owner *owner_get(endpoint_t endpoint);
/** @return NULL when there is none. */
struct owner *owner_find(endpoint_t endpoint);
/** Iterates over owners in use, from NULL. */
struct owner *owner_next(struct owner *previous);
void owner_free(struct owner *o);

#endif
