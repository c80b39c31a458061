#include "servers/net/ready.h"

#include "libsys/if/sock.h"
#include "servers/net/connection.h"
#include "servers/net/requests.h"

static uint64_t raised[(MAX_SOCKETS + 63) / 64]; /* handles with something new */

void ready_raise(struct socket *s, unsigned bits) {
  unsigned i = s->handle - 1u;
  s->events |= bits;
  raised[i / 64] |= 1ull << (i % 64);
}

static bool reportable(const struct socket *s, endpoint_t owner) {
  return s->events && s->owner == owner && !s->listener;
}

bool ready_answer_poll(struct owner *o, uint64_t token, uint32_t max) {
  struct sock_event events[MAX_SOCKETS];
  uint32_t n = 0;
  if (max > MAX_SOCKETS) max = MAX_SOCKETS;
  for (struct socket *s = socket_after(0); s && n < max; s = socket_after(s->handle)) {
    if (!reportable(s, o->endpoint)) continue;
    events[n++] = (struct sock_event){s->handle, (uint16_t)s->events, connection_room(s)};
    s->events = 0;
  }
  if (n < max) o->notified = false;
  if (!n) return false;
  msg_t m = {.type = SOCK_POLL};
  IPC_REPLY(&m, sock_poll)->count = n;
  sys_reply_bulk(token, &m, events, n * sizeof *events);
  return true;
}

static void tell_owner(const struct socket *s) {
  struct owner *o = owner_find(s->owner);
  if (!o || !reportable(s, o->endpoint) || o->notified) return;
  o->notified = true;
  if (o->poll.op) {
    if (ready_answer_poll(o, o->poll.token, o->poll.max)) o->poll.op = 0;
    return;
  }
  sys_notify(o->endpoint, SOCK_READY);
}

void ready_settle(void) {
  for (unsigned w = 0; w < sizeof raised / sizeof *raised; w++) {
    while (raised[w]) {
      unsigned bit = (unsigned)__builtin_ctzll(raised[w]);
      raised[w] &= raised[w] - 1;
      struct socket *s = socket_at(w * 64 + bit + 1);
      if (!s) continue;
      requests_retry(s);
      tell_owner(s);
    }
  }
}
