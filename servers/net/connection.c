#include "servers/net/connection.h"

#include <errno.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <string.h>

#include "libsys/if/sock.h"
#include "servers/net/inbox.h"
#include "servers/net/nic.h"
#include "servers/net/ready.h"

/* lwIP's coarse timer ticks every 500 ms. */
#define POLL_TICKS 2

/* Telling about less would make applications send in small pieces. */
#define ROOM_WORTH_TELLING 32768u
_Static_assert(SEND_BUFFER_BYTES / TCP_MSS + 2 <= TCP_SND_QUEUELEN, "more than lwIP would queue");

static uint32_t last_served;                        /* by connection_retry(); ports */
static uint64_t unflushed[(MAX_SOCKETS + 63) / 64]; /* handles with segments to send */

static void *as_argument(const struct socket *s) {
  return (void *)(uintptr_t)s->handle;
}

static struct socket *from_argument(void *argument) {
  return socket_at((uint32_t)(uintptr_t)argument);
}

static int as_errno(err_t e) {
  switch (e) {
  case ERR_OK:
    return 0;
  case ERR_MEM:
  case ERR_BUF:
    return -ENOMEM;
  case ERR_TIMEOUT:
    return -ETIMEDOUT;
  case ERR_RTE:
    return -EHOSTUNREACH;
  case ERR_USE:
    return -EADDRINUSE;
  case ERR_ISCONN:
    return -EISCONN;
  case ERR_CONN:
  case ERR_CLSD:
    return -ENOTCONN;
  case ERR_ABRT:
  case ERR_RST:
    return -ECONNRESET;
  case ERR_IF:
    return -ENETDOWN;
  default:
    return -EINVAL;
  }
}

static void flush_later(const struct socket *s) {
  unsigned i = s->handle - 1u;
  unflushed[i / 64] |= 1ull << (i % 64);
}

/* ---- callbacks ---- */

static void detach(struct tcp_pcb *pcb) {
  tcp_arg(pcb, NULL);
  tcp_recv(pcb, NULL);
  tcp_sent(pcb, NULL);
  tcp_err(pcb, NULL);
  tcp_poll(pcb, NULL, 0);
}

/* lwIP frees such a control block by itself, after a while and without a callback. */
static void both_ended(struct socket *s) {
  detach(s->pcb);
  s->pcb = NULL;
  socket_become(s, SOCKET_DEAD);
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t e) {
  (void)e;
  struct socket *s = from_argument(argument);
  if (!s) {
    if (p) pbuf_free(p);
    return ERR_OK;
  }
  if (!p) {
    s->peer_ended = true;
    if (s->send_ended) both_ended(s);
    ready_raise(s, SOCK_IN | SOCK_HUP);
    return ERR_OK;
  }
  if (s->read_ended) {
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
  }
  /* On failure lwIP keeps the buffer and offers it again. */
  if (!s->inbox) s->inbox = inbox_new();
  if (!s->inbox || !inbox_reserve(s->inbox, p->tot_len)) return ERR_MEM;
  for (struct pbuf *q = p; q; q = q->next)
    inbox_put(s->inbox, q->payload, q->len);
  layout_received(s, p->tot_len);
  pbuf_free(p);
  ready_raise(s, SOCK_IN);
  return ERR_OK;
}

static void tell_room(struct socket *s) {
  if (!s->wants_room || !connection_room(s)) return;
  s->wants_room = false;
  ready_raise(s, SOCK_OUT);
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, u16_t bytes) {
  (void)pcb;
  (void)bytes;
  struct socket *s = from_argument(argument);
  if (s) tell_room(s);
  return ERR_OK;
}

/* Room that was lost to a lack of memory comes back without anything being acknowledged. */
static err_t on_poll(void *argument, struct tcp_pcb *pcb) {
  (void)pcb;
  struct socket *s = from_argument(argument);
  if (s) tell_room(s);
  return ERR_OK;
}

static void on_error(void *argument, err_t e) {
  struct socket *s = from_argument(argument);
  if (!s) return;
  s->pcb = NULL;
  if (s->state == SOCKET_CONNECTING && e == ERR_RST)
    s->error = -ECONNREFUSED;
  else if (e != ERR_CLSD) /* both sides have ended their streams */
    s->error = as_errno(e);
  socket_become(s, SOCKET_DEAD);
  if (s->listener) {
    socket_free(s); /* nobody has seen it yet */
    return;
  }
  ready_raise(s, SOCK_IN | SOCK_OUT | SOCK_ERR);
}

static void attach(struct socket *s, struct tcp_pcb *pcb) {
  s->pcb = pcb;
  tcp_arg(pcb, as_argument(s));
  tcp_recv(pcb, on_received);
  tcp_sent(pcb, on_sent);
  tcp_err(pcb, on_error);
  tcp_poll(pcb, on_poll, POLL_TICKS);
  tcp_nagle_disable(pcb);
  pcb->snd_buf = SEND_BUFFER_BYTES;
  pcb->ssthresh = SEND_BUFFER_BYTES;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t e) {
  (void)pcb;
  (void)e; /* always ERR_OK; failures go to on_error */
  struct socket *s = from_argument(argument);
  if (!s) return ERR_OK;
  socket_become(s, SOCKET_OPEN);
  layout_opened(s);
  ready_raise(s, SOCK_OUT);
  return ERR_OK;
}

static err_t on_accept(void *argument, struct tcp_pcb *pcb, err_t e) {
  struct socket *listener = from_argument(argument);
  if (e != ERR_OK || !pcb || !listener) return ERR_VAL;
  struct socket *s = socket_new(listener->owner);
  if (!s) return ERR_MEM;
  socket_become(s, SOCKET_OPEN);
  layout_opened(s);
  attach(s, pcb);
  socket_enqueue(s, listener);
  ready_raise(listener, SOCK_IN);
  return ERR_OK;
}

static err_t retry_close(void *argument, struct tcp_pcb *pcb) {
  (void)argument;
  tcp_close(pcb);
  return ERR_OK;
}

/* ---- calls ---- */

static int ensure_block(struct socket *s) {
  if (s->pcb) return 0;
  struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
  if (!pcb) return -ENOMEM;
  attach(s, pcb);
  return 0;
}

int connection_bind(struct socket *s, uint32_t address, uint16_t port) {
  if (s->state != SOCKET_NEW) return -EINVAL;
  int r = ensure_block(s);
  if (r < 0) return r;
  ip_addr_t ip = IPADDR4_INIT(address);
  ip_set_option(s->pcb, SOF_REUSEADDR); /* connections that linger do not keep a port */
  err_t e = tcp_bind(s->pcb, &ip, port);
  if (e != ERR_OK) return as_errno(e);
  socket_become(s, SOCKET_BOUND);
  return 0;
}

int connection_listen(struct socket *s, unsigned backlog) {
  if (s->state != SOCKET_BOUND || !backlog) return -EINVAL;
  err_t e;
  struct tcp_pcb *pcb = tcp_listen_with_backlog_and_err(s->pcb, 255, &e);
  if (!pcb) return as_errno(e);
  s->pcb = pcb;
  s->backlog = (uint16_t)(backlog < MAX_SOCKETS / 2 ? backlog : MAX_SOCKETS / 2);
  tcp_arg(pcb, as_argument(s));
  tcp_accept(pcb, on_accept);
  socket_become(s, SOCKET_LISTENING);
  return 0;
}

int connection_open(struct socket *s, uint32_t address, uint16_t port) {
  if (s->state == SOCKET_CONNECTING) return -EALREADY;
  if (s->state == SOCKET_OPEN) return -EISCONN;
  if ((s->state != SOCKET_NEW && s->state != SOCKET_BOUND) || !address || !port) return -EINVAL;
  int r = ensure_block(s);
  if (r < 0) return r;
  ip_addr_t ip = IPADDR4_INIT(address);
  err_t e = tcp_connect(s->pcb, &ip, port, on_connected);
  if (e != ERR_OK) return as_errno(e);
  socket_become(s, SOCKET_CONNECTING);
  return 0;
}

static uint32_t free_bytes(const struct socket *s) {
  if (s->state != SOCKET_OPEN || s->send_ended || !s->pcb) return 0;
  uint32_t queued = tcp_sndqueuelen(s->pcb);
  if (queued + 2 >= TCP_SND_QUEUELEN) return 0;
  uint32_t segments = TCP_SND_QUEUELEN - queued - 2, bytes = s->pcb->snd_buf;
  return bytes < segments * TCP_MSS ? bytes : segments * TCP_MSS;
}

uint32_t connection_room(const struct socket *s) {
  uint32_t bytes = free_bytes(s);
  return bytes >= ROOM_WORTH_TELLING ? bytes : 0;
}

void connection_want_room(struct socket *s) {
  s->wants_room = true;
}

int connection_send(struct socket *s, const void *data, uint32_t bytes) {
  uint32_t n = free_bytes(s);
  if (n > bytes) n = bytes;
  if (n > UINT16_MAX) n = UINT16_MAX;
  if (n && tcp_write(s->pcb, data, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK) n = 0;
  if (n) {
    layout_sent(s, n);
    flush_later(s);
  }
  return (int)n;
}

void connection_consumed(struct socket *s, uint32_t bytes) {
  /* A window update goes out by itself, if it is worth a segment. */
  if (s->pcb && bytes) tcp_recved(s->pcb, (u16_t)(bytes > 0xffff ? 0xffff : bytes));
}

int connection_shutdown(struct socket *s, unsigned how) {
  if (s->state != SOCKET_OPEN) return -ENOTCONN;
  /* Reading is only noted on our side: lwIP's way would free the control block under us. */
  if (how & SOCK_SHUT_READ) s->read_ended = true;
  if (!(how & SOCK_SHUT_WRITE) || s->send_ended) return 0;
  err_t e = tcp_shutdown(s->pcb, 0, 1);
  if (e != ERR_OK) return as_errno(e);
  s->send_ended = true;
  if (s->peer_ended) both_ended(s);
  return 0;
}

static void close_listening(struct socket *s) {
  struct socket *waiting;
  while ((waiting = socket_oldest(s))) {
    connection_abort(waiting);
    socket_free(waiting);
  }
  tcp_arg(s->pcb, NULL);
  tcp_accept(s->pcb, NULL);
  tcp_close(s->pcb); /* cannot fail: there is nothing to send */
}

void connection_close(struct socket *s) {
  struct tcp_pcb *pcb = s->pcb;
  if (!pcb) return;
  switch (s->state) {
  case SOCKET_LISTENING:
    close_listening(s);
    break;
  case SOCKET_NEW:
  case SOCKET_BOUND:
  case SOCKET_CONNECTING:
  case SOCKET_OPEN:
    detach(pcb);
    if (tcp_close(pcb) != ERR_OK) tcp_poll(pcb, retry_close, POLL_TICKS);
    break;
  case SOCKET_DEAD:
    break;
  }
  s->pcb = NULL;
}

void connection_abort(struct socket *s) {
  if (!s->pcb) return;
  if (s->state == SOCKET_LISTENING) {
    connection_close(s);
    return;
  }
  detach(s->pcb);
  tcp_abort(s->pcb);
  s->pcb = NULL;
}

int connection_name(const struct socket *s, unsigned which, uint32_t *address, uint16_t *port) {
  if (!s->pcb) return -ENOTCONN;
  if (which == SOCK_LOCAL) {
    *address = ip_2_ip4(&s->pcb->local_ip)->addr;
    *port = s->pcb->local_port;
    return 0;
  }
  if (s->state != SOCKET_OPEN) return -ENOTCONN;
  *address = ip_2_ip4(&s->pcb->remote_ip)->addr;
  *port = s->pcb->remote_port;
  return 0;
}

void connection_flush(void) {
  if (nic_is_full()) memset(unflushed, 0, sizeof unflushed); /* connection_retry() sends it */
  for (unsigned w = 0; w < sizeof unflushed / sizeof *unflushed; w++) {
    while (unflushed[w]) {
      unsigned bit = (unsigned)__builtin_ctzll(unflushed[w]);
      unflushed[w] &= unflushed[w] - 1;
      struct socket *s = socket_at(w * 64 + bit + 1);
      if (s && s->pcb && s->state == SOCKET_OPEN) tcp_output(s->pcb);
    }
  }
}

static uint32_t ports_of(const struct tcp_pcb *pcb) {
  return (uint32_t)pcb->remote_port << 16 | pcb->local_port;
}

/* Whose turn it is: after the one that got the last buffer. */
static struct tcp_pcb *next_in_turn(void) {
  struct tcp_pcb *pcb = tcp_active_pcbs;
  while (pcb && ports_of(pcb) != last_served)
    pcb = pcb->next;
  return pcb && pcb->next ? pcb->next : tcp_active_pcbs;
}

void connection_retry(void) {
  struct tcp_pcb *first = next_in_turn(), *pcb = first;
  if (!first) return;
  do { /* sending frees no control block */
    if (pcb->unsent || pcb->flags & (TF_ACK_NOW | TF_ACK_DELAY)) tcp_output(pcb);
    last_served = ports_of(pcb);
    pcb = pcb->next ? pcb->next : tcp_active_pcbs;
  } while (pcb != first && !nic_is_full());
}

void connection_resend(void) {
  for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
    if (pcb->unacked)
      tcp_rexmit_rto(pcb);
    else if (pcb->unsent)
      tcp_output(pcb);
  }
}
