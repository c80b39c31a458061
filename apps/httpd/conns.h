/* The connections, and what is done on each: a state machine over socket events. */
#ifndef HTTPD_CONNS_H
#define HTTPD_CONNS_H

#include "apps/httpd/layout.h"
#include "libsys/if/sock.h"

/** Counters for the status page. */
struct figures {
  uint64_t started_us, accepted, requests, errors;
};
extern struct figures figures;

/** @return false when the table is full or memory is lacking; the socket is then the caller's. */
bool conns_add(int socket);
bool conns_full(void);
unsigned conns_count(void);
/** Acts on an event. @return false when no connection has that socket. */
bool conns_event(const struct sock_event *e);
/** Closes those whose time is up.
 * @return when to call this again, in microseconds of sys_time_us(); 0 = never. */
uint64_t conns_expire(uint64_t now_us);
/** Forgets all: their sockets are gone. */
void conns_drop_all(void);
/** Looks again at the connection of a transfer; all that have one if it is NULL. */
void conns_transfer(const struct transfer *t);
/** Goes on with connections that had more to do than fits in a turn.
 * @return whether some still have. */
bool conns_continue(void);

#endif
