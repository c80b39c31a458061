/* TCP sockets, between applications and the network server.
 *
 * A handle is a small number that belongs to the endpoint that made or accepted the socket; others
 * get -EBADF. It lives until SOCK_CLOSE, its owner's death, or the server's restart
 * (SYS_RESTARTED), not less: an update of either side keeps it.
 *
 * No operation blocks the server. One that can't be done yet is answered -EAGAIN, or, with
 * SOCK_WAIT, answered once it can be done: plain programs block in sys_sendrec() that way, event
 * loops use sys_call(). One reader and one writer may wait on a socket; a further one gets -EBUSY.
 *
 * Readiness: the server notifies the owner with bit SOCK_READY when a socket's events go from none
 * to some; SOCK_POLL then returns and clears them. Events are edges: after SOCK_IN receive (accept)
 * until -EAGAIN or fewer bytes than asked for; SOCK_OUT comes only after a send that was answered
 * room = 0 or -EAGAIN. With SOCK_HUP, receive until the end of the stream.
 *
 * Errors in a reply's status: -EBADF, -EINVAL (wrong state), -EAGAIN, -EBUSY, -EADDRINUSE,
 * -ECONNREFUSED, -ECONNRESET, -ENOTCONN, -EPIPE (sending after shutdown), -EMFILE (table full),
 * -ENOMEM, -EISCONN, -EALREADY. */
#ifndef PROTEOS_IF_SOCK_H
#define PROTEOS_IF_SOCK_H

#include "libsys/interface.h"

/** Notification bit from server to application: SOCK_POLL has something. */
#define SOCK_READY (1u << 0)

enum sock_flag { SOCK_WAIT = 1 /* answer later instead of -EAGAIN */ };
enum sock_how { SOCK_SHUT_READ = 1, SOCK_SHUT_WRITE = 2 };
enum sock_which { SOCK_LOCAL = 0, SOCK_PEER = 1 };

enum sock_event_bit {
  SOCK_IN = 1,  /* bytes, the end of the stream, or a connection to accept */
  SOCK_OUT = 2, /* room to send again, or a connection attempt succeeded */
  SOCK_HUP = 4, /* the peer will send no more */
  SOCK_ERR = 8  /* the connection is gone; the next operation says why */
};

/** One entry of SOCK_POLL's payload. */
struct sock_event {
  uint16_t handle;
  uint16_t events; /* enum sock_event_bit */
  uint32_t room;   /* bytes that worth sending now, as SOCK_SEND's reply says */
};

/* SOCK_SOCKET: a new TCP socket.
 * SOCK_BIND: address 0 means any; port 0 lets the server choose. Ports are in host byte order.
 * SOCK_LISTEN: backlog is the number of connections that may wait to be accepted; beyond it the
 *   peer's attempts are left unanswered until there is room.
 * SOCK_ACCEPT: the oldest waiting connection.
 * SOCK_CONNECT: without SOCK_WAIT answered 0 at once; SOCK_OUT or SOCK_ERR tells the outcome.
 * SOCK_SEND: payload: the bytes. `taken` of them were taken; `room` more are worth sending now. If
 *   that is 0, SOCK_OUT comes when sending is worth while again. With SOCK_WAIT and no room at all
 *   the answer comes then, with taken = 0: send again.
 * SOCK_RECV: at most `max` bytes come as payload; none at the end of the stream. `more` wait.
 * SOCK_SEND_FROM, SOCK_RECV_INTO: the same through memory that the caller lends: bytes `at` and on
 *   of a grant of an own area to the server (libsys/if/mem.h). Errors of the grant: -ENOENT,
 *   -EACCES (another's, or without the right), -EFAULT (it is shorter).
 * SOCK_SHUTDOWN: SOCK_SHUT_WRITE ends the stream to the peer after what was sent.
 * SOCK_CLOSE: what was sent is still delivered; unread data makes it a reset.
 * SOCK_POLL: payload: `count` struct sock_event, at most `max`.
 * SOCK_NAME: which is enum sock_which.
 * SOCK_STATS: the server's own figures; a version that does not count something reports 0. */
#define SOCK_SOCKET_FIELDS(F)
#define SOCK_SOCKET_REPLY(F)    F(u32, handle)
#define SOCK_BIND_FIELDS(F)     F(u32, handle) F(ip4, address) F(u16, port)
#define SOCK_LISTEN_FIELDS(F)   F(u32, handle) F(u32, backlog)
#define SOCK_ACCEPT_FIELDS(F)   F(u32, handle) F(x32, flags)
#define SOCK_ACCEPT_REPLY(F)    F(u32, handle) F(ip4, address) F(u16, port)
#define SOCK_CONNECT_FIELDS(F)  F(u32, handle) F(x32, flags) F(ip4, address) F(u16, port)
#define SOCK_SEND_FIELDS(F)     F(u32, handle) F(x32, flags)
#define SOCK_SEND_REPLY(F)      F(u32, taken) F(u32, room)
#define SOCK_RECV_FIELDS(F)     F(u32, handle) F(x32, flags) F(u32, max)
#define SOCK_RECV_REPLY(F)      F(u32, more)
#define SOCK_SHUTDOWN_FIELDS(F) F(u32, handle) F(x32, how)
#define SOCK_CLOSE_FIELDS(F)    F(u32, handle)
#define SOCK_POLL_FIELDS(F)     F(x32, flags) F(u32, max)
#define SOCK_POLL_REPLY(F)      F(u32, count)
#define SOCK_NAME_FIELDS(F)     F(u32, handle) F(u32, which)
#define SOCK_NAME_REPLY(F)      F(ip4, address) F(u16, port)
#define SOCK_STATS_FIELDS(F)
#define SOCK_STATS_REPLY(F)                                                                        \
  F(u32, version)                                                                                  \
  F(u32, sockets) F(u32, sockets_max) F(u32, pending_writes) F(u64, accepted) F(u64, bytes_sent)
#define SOCK_SEND_FROM_FIELDS(F) F(u64, at) F(u32, handle) F(u32, grant) F(u32, bytes) F(x32, flags)
#define SOCK_SEND_FROM_REPLY(F)  SOCK_SEND_REPLY(F)
#define SOCK_RECV_INTO_FIELDS(F) F(u64, at) F(u32, handle) F(u32, grant) F(u32, max) F(x32, flags)
#define SOCK_RECV_INTO_REPLY(F)  F(u32, taken) F(u32, more)
#define SOCK_MESSAGES(M)                                                                           \
  M(SOCK_SOCKET, 0x500, sock_socket, SOCK_SOCKET_FIELDS, SOCK_SOCKET_REPLY)                        \
  M(SOCK_BIND, 0x501, sock_bind, SOCK_BIND_FIELDS, IPC_NO_FIELDS)                                  \
  M(SOCK_LISTEN, 0x502, sock_listen, SOCK_LISTEN_FIELDS, IPC_NO_FIELDS)                            \
  M(SOCK_ACCEPT, 0x503, sock_accept, SOCK_ACCEPT_FIELDS, SOCK_ACCEPT_REPLY)                        \
  M(SOCK_CONNECT, 0x504, sock_connect, SOCK_CONNECT_FIELDS, IPC_NO_FIELDS)                         \
  M(SOCK_SEND, 0x505, sock_send, SOCK_SEND_FIELDS, SOCK_SEND_REPLY)                                \
  M(SOCK_RECV, 0x506, sock_recv, SOCK_RECV_FIELDS, SOCK_RECV_REPLY)                                \
  M(SOCK_SHUTDOWN, 0x507, sock_shutdown, SOCK_SHUTDOWN_FIELDS, IPC_NO_FIELDS)                      \
  M(SOCK_CLOSE, 0x508, sock_close, SOCK_CLOSE_FIELDS, IPC_NO_FIELDS)                               \
  M(SOCK_POLL, 0x509, sock_poll, SOCK_POLL_FIELDS, SOCK_POLL_REPLY)                                \
  M(SOCK_NAME, 0x50a, sock_name, SOCK_NAME_FIELDS, SOCK_NAME_REPLY)                                \
  M(SOCK_STATS, 0x50b, sock_stats, SOCK_STATS_FIELDS, SOCK_STATS_REPLY)                            \
  M(SOCK_SEND_FROM, 0x50c, sock_send_from, SOCK_SEND_FROM_FIELDS, SOCK_SEND_FROM_REPLY)            \
  M(SOCK_RECV_INTO, 0x50d, sock_recv_into, SOCK_RECV_INTO_FIELDS, SOCK_RECV_INTO_REPLY)
IPC_INTERFACE(sock, SOCK_MESSAGES)

#endif
