#include "servers/net/version.h"

#include "servers/net/table.h"

#if NET_VERSION >= 2
struct net_totals totals;
#endif

/* What the tables hold must agree with itself, whatever version it came from. */
int net_live_update(const sys_init_t *info) {
  unsigned n = 0;
  (void)info;
  for (struct socket *s = socket_after(0); s; s = socket_after(s->handle)) {
    n++;
    if (socket_at(s->handle) != s || s->state > SOCKET_DEAD) {
      sys_log("socket %u is inconsistent after the transfer", s->handle);
      return -1;
    }
  }
  return n == socket_count() ? 0 : -1;
}
