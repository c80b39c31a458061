#include "servers/net/table.h"

#include <stdlib.h>
#include <string.h>

#include "servers/net/inbox.h"
#include "servers/net/share.h"

static struct socket *sockets[MAX_SOCKETS]; /* by handle - 1 */
static unsigned sockets_used;
static uint64_t arrivals;
static struct owner owners[MAX_OWNERS];

_Static_assert(MAX_SOCKETS < 4096, "a handle must look like no pointer");

struct socket *socket_new(endpoint_t owner) {
  unsigned i = 0;
  while (i < MAX_SOCKETS && sockets[i])
    i++;
  if (i == MAX_SOCKETS) return NULL;
  struct socket *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->handle = (uint16_t)(i + 1);
  s->owner = owner;
  sockets[i] = s;
  sockets_used++;
  return s;
}

void socket_free(struct socket *s) {
  sockets[s->handle - 1] = NULL;
  sockets_used--;
  inbox_free(s->inbox);
  free(s);
}

struct socket *socket_at(uint32_t handle) {
  return handle >= 1 && handle <= MAX_SOCKETS ? sockets[handle - 1] : NULL;
}

struct socket *socket_of(endpoint_t owner, uint32_t handle) {
  struct socket *s = socket_at(handle);
  if (!s || s->listener) return NULL;
  return s->owner == owner || share_has(handle, owner) ? s : NULL;
}

struct socket *socket_after(uint32_t after) {
  for (uint32_t i = after; i < MAX_SOCKETS; i++)
    if (sockets[i]) return sockets[i];
  return NULL;
}

unsigned socket_count(void) {
  return sockets_used;
}

static bool may_become(enum socket_state from, enum socket_state to) {
  switch (from) {
  case SOCKET_NEW:
    return to == SOCKET_BOUND || to == SOCKET_CONNECTING || to == SOCKET_OPEN;
  case SOCKET_BOUND:
    return to == SOCKET_LISTENING || to == SOCKET_CONNECTING;
  case SOCKET_LISTENING:
    return false;
  case SOCKET_CONNECTING:
    return to == SOCKET_OPEN || to == SOCKET_DEAD;
  case SOCKET_OPEN:
    return to == SOCKET_DEAD;
  case SOCKET_DEAD:
    return false;
  }
  return false;
}

void socket_become(struct socket *s, enum socket_state next) {
  if (!may_become(s->state, next)) {
    sys_log("socket %u: no way from state %d to %d", s->handle, s->state, next);
    abort();
  }
  s->state = next;
}

unsigned socket_waiting(const struct socket *listener) {
  unsigned n = 0;
  for (struct socket *s = socket_after(0); s; s = socket_after(s->handle))
    n += s->listener == listener->handle;
  return n;
}

struct socket *socket_oldest(const struct socket *listener) {
  struct socket *oldest = NULL;
  for (struct socket *s = socket_after(0); s; s = socket_after(s->handle))
    if (s->listener == listener->handle && (!oldest || s->arrival < oldest->arrival)) oldest = s;
  return oldest;
}

void socket_enqueue(struct socket *s, const struct socket *listener) {
  s->listener = listener->handle;
  s->arrival = ++arrivals;
}

struct owner *owner_find(endpoint_t endpoint) {
  for (unsigned i = 0; i < MAX_OWNERS; i++)
    if (owners[i].endpoint == endpoint) return &owners[i];
  return NULL;
}

struct owner *owner_get(endpoint_t endpoint) {
  struct owner *o = owner_find(endpoint);
  if (o) return o;
  o = owner_find(0);
  if (!o) return NULL;
  memset(o, 0, sizeof *o);
  o->endpoint = endpoint;
  return o;
}

struct owner *owner_next(struct owner *previous) {
  for (struct owner *o = previous ? previous + 1 : owners; o < owners + MAX_OWNERS; o++)
    if (o->endpoint) return o;
  return NULL;
}

void owner_free(struct owner *o) {
  memset(o, 0, sizeof *o);
}
