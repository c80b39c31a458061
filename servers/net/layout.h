/* The data structures of net that change between its versions; everything else is shared.
 *
 * Version 2 reorders struct socket, drops `operations` from it, adds traffic counters, doubles the
 * tables, and has a new global. Where the rest of the code differs it goes through the functions
 * here. lwIP's blocks must never hold a pointer to one of these structures: it would pin them to
 * their old type. Callbacks get handles. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/sys.h"

#ifndef NET_VERSION
#define NET_VERSION 1
#endif

struct tcp_pcb;
struct inbox;

enum socket_state {
  SOCKET_NEW,        /* made, no address */
  SOCKET_BOUND,      /* has a local address */
  SOCKET_LISTENING,  /* its control block is a listening one */
  SOCKET_CONNECTING, /* SYN sent */
  SOCKET_OPEN,       /* connected; each direction may have ended */
  SOCKET_DEAD        /* its control block is gone; `error` says why, 0 = both ended */
};

/* A request that is answered later. */
struct waiter {
  uint64_t token;
  uint32_t op; /* message type, 0 when nobody waits */
  uint32_t max;
  endpoint_t who;
  uint32_t grant; /* of SOCK_RECV_INTO */
  uint64_t at;
};

#if NET_VERSION == 1

#define MAX_SOCKETS 256
#define MAX_OWNERS  32

struct socket {
  uint16_t handle; /* its place in the table, from 1 */
  uint16_t listener;
  endpoint_t owner;
  enum socket_state state;
  uint32_t operations;
  struct tcp_pcb *pcb;
  struct inbox *inbox;
  struct waiter reader, writer;
  uint64_t arrival; /* order among connections to be accepted */
  uint16_t events;  /* not yet polled */
  uint16_t backlog;
  int32_t error;
  bool peer_ended, read_ended, send_ended, wants_room;
};

struct owner {
  endpoint_t endpoint; /* 0 = free */
  bool notified;       /* and has not polled everything since */
  struct waiter poll;
};

static inline void layout_opened(struct socket *s) {
  s->operations = 0;
}
static inline void layout_received(struct socket *s, uint32_t bytes) {
  (void)bytes;
  s->operations++;
}
static inline void layout_sent(struct socket *s, uint32_t bytes) {
  (void)bytes;
  s->operations++;
}
static inline uint64_t layout_accepted_total(void) {
  return 0;
}
static inline uint64_t layout_sent_total(void) {
  return 0;
}

#else

#define MAX_SOCKETS 512
#define MAX_OWNERS  64

struct socket {
  struct tcp_pcb *pcb;
  uint64_t opened_us; /* 0 when that was before this version */
  uint64_t bytes_received, bytes_sent;
  struct waiter reader, writer;
  struct inbox *inbox;
  endpoint_t owner;
  int32_t error;
  bool peer_ended, read_ended, send_ended, wants_room;
  enum socket_state state;
  uint64_t arrival; /* order among connections to be accepted */
  uint32_t events;  /* not yet polled */
  uint32_t backlog;
  uint16_t listener;
  uint16_t handle; /* its place in the table, from 1 */
};

struct owner {
  struct waiter poll;
  uint32_t sockets_made;
  bool notified;       /* and has not polled everything since */
  endpoint_t endpoint; /* 0 = free */
};

struct net_totals {
  uint64_t accepted, bytes_received, bytes_sent;
};
extern struct net_totals totals;

static inline void layout_opened(struct socket *s) {
  s->opened_us = sys_time_us();
  totals.accepted++;
}
static inline void layout_received(struct socket *s, uint32_t bytes) {
  s->bytes_received += bytes;
  totals.bytes_received += bytes;
}
static inline void layout_sent(struct socket *s, uint32_t bytes) {
  s->bytes_sent += bytes;
  totals.bytes_sent += bytes;
}
static inline uint64_t layout_accepted_total(void) {
  return totals.accepted;
}
static inline uint64_t layout_sent_total(void) {
  return totals.bytes_sent;
}

#endif
#endif
