/* Sockets for applications: libsys/if/sock.h as functions.
 *
 * The calls go to the component named "net", with sys_sendrec(): each returns at once, except those
 * given SOCK_WAIT, which plain programs use and event loops must not. Functions return 0 or more on
 * success and a negative errno or SYS_E* value on failure; the socket errors are listed in
 * libsys/if/sock.h. Sockets are small numbers from 1. Addresses are IPv4 in network byte order,
 * ports in host byte order. */
#ifndef PROTEOS_SOCKET_H
#define PROTEOS_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "libsys/if/sock.h"
#include "libsys/sys.h"

struct sock_address {
  uint32_t address;
  uint16_t port;
};

/** Endpoint of the network server, or -ENOENT when the manifest gives no edge to it. */
endpoint_t sock_server(void);

/** @return a new TCP socket, owned by this component until sock_close(). */
int sock_socket(void);
int sock_bind(int s, uint32_t address, uint16_t port);
/** @param backlog  connections that may wait to be accepted, at least 1 */
int sock_listen(int s, unsigned backlog);
/** @param peer  receives the other side's address; may be NULL
 *  @return a connected socket; -EAGAIN when none waits (without SOCK_WAIT). */
int sock_accept(int s, unsigned flags, struct sock_address *peer);
/** Without SOCK_WAIT returns 0 at once; SOCK_OUT or SOCK_ERR follows. */
int sock_connect(int s, uint32_t address, uint16_t port, unsigned flags);

/** Sends up to SYS_PAYLOAD_MAX bytes; copied.
 * @param room  if not NULL receives how many more bytes are worth sending now; 0: wait for SOCK_OUT
 * @return bytes taken, 1 to `len`; -EAGAIN when none (with SOCK_WAIT: all were taken, or error). */
int sock_send(int s, const void *data, size_t len, unsigned flags, uint32_t *room);
/** @return bytes received, 0 at the end of the stream, -EAGAIN when none wait. */
int sock_recv(int s, void *buffer, size_t cap, unsigned flags);
/** @param how  enum sock_how, or-ed */
int sock_shutdown(int s, unsigned how);
int sock_close(int s);

/** Fetches events, after a SOCK_READY notification from sock_server().
 * @return their number, at most `max`; fewer means that there are no more for now. */
int sock_poll(struct sock_event *events, unsigned max, unsigned flags);
/** @param which  enum sock_which */
int sock_name(int s, enum sock_which which, struct sock_address *name);

#endif
