#include "servers/net/requests.h"

#include <errno.h>
#include <string.h>

#include "libsys/if/io.h"
#include "libsys/if/mem.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"
#include "servers/lent/lent.h"
#include "servers/net/connection.h"
#include "servers/net/inbox.h"
#include "servers/net/nic.h"
#include "servers/net/ready.h"
#include "servers/net/share.h"

static void answer(uint64_t token, uint32_t op, int status) {
  msg_t m = {.type = op, .status = status};
  sys_reply(token, &m);
}

void answer_status(const msg_t *m, int status) {
  answer(m->token, m->type, status);
}

/* Why nothing can be sent or received on a socket that isn't open. */
static int not_open(const struct socket *s) {
  switch (s->state) {
  case SOCKET_NEW:
  case SOCKET_BOUND:
  case SOCKET_LISTENING:
    return -ENOTCONN;
  case SOCKET_CONNECTING:
    return -EAGAIN;
  case SOCKET_OPEN:
    return 0;
  case SOCKET_DEAD:
    return s->error;
  }
  return -EINVAL;
}

/* ---- what may have to wait: each returns false when it can't be answered yet ---- */

static bool try_accept(struct socket *s, uint64_t token, endpoint_t who) {
  struct socket *c = socket_oldest(s);
  if (!c) return false;
  c->listener = 0;
  c->owner = who;
  msg_t m = {.type = SOCK_ACCEPT};
  struct sock_accept_reply *reply = IPC_REPLY(&m, sock_accept);
  reply->handle = c->handle;
  connection_name(c, SOCK_PEER, &reply->address, &reply->port);
  sys_reply(token, &m);
  if (c->events) ready_raise(c, 0); /* of what came before it had an owner */
  return true;
}

static bool try_connect(struct socket *s, uint64_t token) {
  if (s->state == SOCKET_CONNECTING) return false;
  answer(token, SOCK_CONNECT, s->state == SOCKET_OPEN ? 0 : s->error);
  return true;
}

static bool try_send(struct socket *s, uint64_t token, uint32_t op, const void *data,
                     uint32_t bytes) {
  msg_t m = {.type = op};
  int r = s->state == SOCKET_DEAD && !s->error ? -EPIPE : not_open(s);
  if (r == 0 && s->send_ended) r = -EPIPE;
  uint32_t room = 0;
  if (r == 0) {
    r = connection_send(s, data, bytes);
    if (r > 0 || !bytes) room = connection_room(s);
    if (!room) connection_want_room(s);
  }
  if ((r == 0 && !room) || r == -EAGAIN) return false;
  IPC_REPLY(&m, sock_send)->taken = r > 0 ? (uint32_t)r : 0;
  IPC_REPLY(&m, sock_send)->room = room;
  m.status = r < 0 ? r : 0;
  sys_reply(token, &m);
  return true;
}

/* @return bytes, 0 at the end of the stream, -EAGAIN: none yet, or another error */
static int32_t receive(struct socket *s, void *out, uint32_t max) {
  if (!s->read_ended && s->inbox && inbox_used(s->inbox)) {
    uint32_t n = inbox_take(s->inbox, out, max);
    connection_consumed(s, n);
    return (int32_t)n;
  }
  if (s->peer_ended || s->read_ended) return 0;
  return s->state == SOCKET_OPEN ? -EAGAIN : not_open(s);
}

static uint32_t more(const struct socket *s) {
  return s->inbox ? inbox_used(s->inbox) : 0;
}

static bool try_recv(struct socket *s, uint64_t token, uint32_t max) {
  char data[INBOX_MAX_BYTES];
  msg_t m = {.type = SOCK_RECV};
  int32_t n = receive(s, data, max < sizeof data ? max : sizeof data);
  if (n == -EAGAIN) return false;
  if (n < 0) m.status = n;
  IPC_REPLY(&m, sock_recv)->more = more(s);
  sys_reply_bulk(token, &m, data, n > 0 ? (uint32_t)n : 0);
  return true;
}

static bool try_recv_into(struct socket *s, const struct waiter *w) {
  void *out;
  msg_t m = {.type = SOCK_RECV_INTO};
  int32_t n = lent_find(w->who, w->grant, w->at, w->max, MEM_READ | MEM_WRITE, &out);
  if (n == 0) n = receive(s, out, w->max);
  if (n == -EAGAIN) return false;
  if (n < 0) m.status = n;
  IPC_REPLY(&m, sock_recv_into)->taken = n > 0 ? (uint32_t)n : 0;
  IPC_REPLY(&m, sock_recv_into)->more = more(s);
  sys_reply(w->token, &m);
  return true;
}

static void wait_for(struct waiter *w, const msg_t *m, uint32_t flags, uint32_t max) {
  if (!(flags & SOCK_WAIT)) {
    answer_status(m, -EAGAIN);
  } else if (w->op) {
    answer_status(m, -EBUSY);
  } else {
    *w = (struct waiter){.token = m->token, .op = m->type, .max = max, .who = m->source};
  }
}

static bool retry(struct socket *s, const struct waiter *w) {
  switch (w->op) {
  case SOCK_ACCEPT:
    return try_accept(s, w->token, w->who);
  case SOCK_RECV:
    return try_recv(s, w->token, w->max);
  case SOCK_RECV_INTO:
    return try_recv_into(s, w);
  case SOCK_CONNECT:
    return try_connect(s, w->token);
  case SOCK_SEND:
  case SOCK_SEND_FROM:
    return try_send(s, w->token, w->op, NULL, 0);
  default:
    return false;
  }
}

void requests_retry(struct socket *s) {
  if (retry(s, &s->reader)) s->reader.op = 0;
  if (retry(s, &s->writer)) s->writer.op = 0;
}

/* ---- the requests ---- */

void do_socket(const msg_t *m) {
  struct owner *o = owner_get(m->source);
  struct socket *s = o ? socket_new(m->source) : NULL;
  if (!s) {
    answer_status(m, -EMFILE);
    return;
  }
  msg_t reply = {.type = m->type};
  IPC_REPLY(&reply, sock_socket)->handle = s->handle;
  sys_reply(m->token, &reply);
}

void do_bind(const msg_t *m) {
  const struct sock_bind *q = IPC(m, sock_bind);
  struct socket *s = socket_of(m->source, q->handle);
  answer_status(m, s ? connection_bind(s, q->address, q->port) : -EBADF);
}

void do_listen(const msg_t *m) {
  const struct sock_listen *q = IPC(m, sock_listen);
  struct socket *s = socket_of(m->source, q->handle);
  answer_status(m, s ? connection_listen(s, q->backlog) : -EBADF);
}

void do_accept(const msg_t *m) {
  const struct sock_accept *q = IPC(m, sock_accept);
  struct socket *s = socket_of(m->source, q->handle);
  if (!s || s->state != SOCKET_LISTENING) {
    answer_status(m, s ? -EINVAL : -EBADF);
    return;
  }
  if (!try_accept(s, m->token, m->source)) wait_for(&s->reader, m, q->flags, 0);
}

void do_connect(const msg_t *m) {
  const struct sock_connect *q = IPC(m, sock_connect);
  struct socket *s = socket_of(m->source, q->handle);
  int r = s ? connection_open(s, q->address, q->port) : -EBADF;
  if (r == 0 && (q->flags & SOCK_WAIT))
    wait_for(&s->writer, m, q->flags, 0);
  else
    answer_status(m, r);
}

void do_send(const msg_t *m, const void *data) {
  const struct sock_send *q = IPC(m, sock_send);
  struct socket *s = socket_of(m->source, q->handle);
  if (!s) {
    answer_status(m, -EBADF);
    return;
  }
  if (!try_send(s, m->token, m->type, data, m->payload)) wait_for(&s->writer, m, q->flags, 0);
}

void do_recv(const msg_t *m) {
  const struct sock_recv *q = IPC(m, sock_recv);
  struct socket *s = socket_of(m->source, q->handle);
  if (!s) {
    answer_status(m, -EBADF);
    return;
  }
  if (!try_recv(s, m->token, q->max)) wait_for(&s->reader, m, q->flags, q->max);
}

void do_send_from(const msg_t *m) {
  const struct sock_send_from *q = IPC(m, sock_send_from);
  struct socket *s = socket_of(m->source, q->handle);
  void *in;
  int error = s ? lent_find(m->source, q->grant, q->at, q->bytes, MEM_READ, &in) : -EBADF;
  if (error)
    answer_status(m, error);
  else if (!try_send(s, m->token, m->type, in, q->bytes))
    wait_for(&s->writer, m, q->flags, 0);
}

void do_recv_into(const msg_t *m) {
  const struct sock_recv_into *q = IPC(m, sock_recv_into);
  struct socket *s = socket_of(m->source, q->handle);
  const struct waiter w = {.token = m->token,
                           .op = m->type,
                           .max = q->max,
                           .who = m->source,
                           .grant = q->grant,
                           .at = q->at};
  if (!s) {
    answer_status(m, -EBADF);
    return;
  }
  if (try_recv_into(s, &w)) return;
  wait_for(&s->reader, m, q->flags, q->max);
  if (s->reader.op && s->reader.token == m->token) s->reader = w;
}

void do_shutdown(const msg_t *m) {
  const struct sock_shutdown *q = IPC(m, sock_shutdown);
  struct socket *s = socket_of(m->source, q->handle);
  answer_status(m, s ? connection_shutdown(s, q->how) : -EBADF);
}

/* Whoever waits on a socket that goes away is told so. */
static void close_socket(struct socket *s) {
  if (s->reader.op) answer(s->reader.token, s->reader.op, -EBADF);
  if (s->writer.op) answer(s->writer.token, s->writer.op, -EBADF);
  connection_close(s);
  socket_free(s);
}

static void end_waits(struct waiter *w, endpoint_t who) {
  if (!w->op || w->who != who) return;
  answer(w->token, w->op, -EBADF);
  w->op = 0;
}

static void pass_on(struct socket *s, endpoint_t next) {
  for (struct socket *c = socket_after(0); c; c = socket_after(c->handle))
    if (c->listener == s->handle) c->owner = next;
  s->owner = next;
  ready_raise(s, 0); /* what it has not heard of yet */
}

/* One of those who have a socket leaves it to the others. @return false when there are none */
static bool leave(struct socket *s, endpoint_t who) {
  if (s->owner != who) {
    share_drop(s->handle, who);
  } else {
    endpoint_t next = share_take(s->handle);
    if (!next) return false;
    pass_on(s, next);
  }
  end_waits(&s->reader, who);
  end_waits(&s->writer, who);
  return true;
}

void do_close(const msg_t *m) {
  const struct sock_close *q = IPC(m, sock_close);
  struct socket *s = socket_of(m->source, q->handle);
  if (s && !leave(s, m->source)) close_socket(s);
  answer_status(m, s ? 0 : -EBADF);
}

static int duplicate(struct socket *s, endpoint_t to) {
  if (!s) return -EBADF;
  if (s->owner == to || share_has(s->handle, to)) return 0;
  if (!owner_get(to)) return -EMFILE;
  return share_add(s->handle, to);
}

void do_duplicate(const msg_t *m) {
  const struct io_duplicate *q = IPC(m, io_duplicate);
  msg_t reply = {.type = m->type};
  bool may = (q->from == m->source && q->to == m->source) || m->source == sys_lookup("pm");
  reply.status = may ? duplicate(socket_of(q->from, q->handle), q->to) : -EPERM;
  IPC_REPLY(&reply, io_duplicate)->handle = q->handle;
  sys_reply(m->token, &reply);
}

void do_poll(const msg_t *m) {
  const struct sock_poll *q = IPC(m, sock_poll);
  struct owner *o = owner_get(m->source);
  if (!o || !q->max) {
    answer_status(m, o ? -EINVAL : -EMFILE);
    return;
  }
  if (ready_answer_poll(o, m->token, q->max)) return;
  if (q->flags & SOCK_WAIT)
    wait_for(&o->poll, m, q->flags, q->max);
  else
    answer_status(m, 0);
}

void do_name(const msg_t *m) {
  const struct sock_name *q = IPC(m, sock_name);
  struct socket *s = socket_of(m->source, q->handle);
  msg_t reply = {.type = m->type};
  struct sock_name_reply *r = IPC_REPLY(&reply, sock_name);
  reply.status = s ? connection_name(s, q->which, &r->address, &r->port) : -EBADF;
  sys_reply(m->token, &reply);
}

void do_stats(const msg_t *m) {
  msg_t reply = {.type = m->type};
  *IPC_REPLY(&reply, sock_stats) = (struct sock_stats_reply){
      .version = NET_VERSION,
      .sockets = socket_count(),
      .sockets_max = MAX_SOCKETS,
      .pending_writes = (uint32_t)num_pending_writes,
      .accepted = layout_accepted_total(),
      .bytes_sent = layout_sent_total(),
  };
  sys_reply(m->token, &reply);
}

/* Programs end every day, as processes do; a component has died. */
static bool is_program(endpoint_t endpoint) {
  return strncmp(sys_name(endpoint), "program-", 8) == 0;
}

void requests_drop_owner(endpoint_t endpoint) {
  for (struct socket *s = socket_after(0); s; s = socket_after(s->handle))
    if (socket_of(endpoint, s->handle)) leave(s, endpoint);
  for (struct socket *s = socket_after(0); s; s = socket_after(s->handle)) {
    if (s->owner != endpoint) continue;
    if (is_program(endpoint) && !s->listener)
      connection_close(s);
    else
      connection_abort(
          s); /* a listener's waiting connections go with it, and are its owner's too */
  }
  uint32_t handle = 0;
  for (struct socket *s; (s = socket_after(handle));) {
    handle = s->handle;
    if (s->owner == endpoint) socket_free(s);
  }
  struct owner *o = owner_find(endpoint);
  if (o) owner_free(o);
}
