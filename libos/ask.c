#include "libos/ask.h"

#include <errno.h>

#include "libos/descriptor.h"
#include "libos/signals.h"
#include "libsys/sys.h"

static const char *const names[SERVERS] = {"storage", "pm", "pipe", "tty", "net"};

endpoint_t server_endpoint(enum server which) {
  static endpoint_t found[SERVERS];
  if (!found[which]) {
    endpoint_t endpoint = sys_lookup(names[which]);
    found[which] = endpoint > 0 ? endpoint : -1;
  }
  return found[which] > 0 ? found[which] : 0;
}

enum server server_of(endpoint_t endpoint) {
  for (enum server s = 0; s < SERVERS; s++)
    if (endpoint > 0 && server_endpoint(s) == endpoint) return s;
  return SERVERS;
}

int fail(int error) {
  switch (-error) {
  case SYS_ERESTARTED:
  case SYS_EDEADSRCDST:
    errno = EIO;
    break;
  case SYS_ELOCKED:
    errno = EDEADLK;
    break;
  default:
    errno = -error;
  }
  return -1;
}

int ask_bulk(endpoint_t server, msg_t *m, const void *out, size_t out_len, void *in,
             size_t in_cap) {
  if (server <= 0) return fail(-ENOSYS);
  int error = sys_sendrec_bulk(server, m, out, out_len, in, in_cap);
  if (error == -SYS_ERESTARTED || error == -SYS_EDEADSRCDST) descriptor_server_lost(server);
  if (!error) error = m->status;
  signals_take();
  return error < 0 ? fail(error) : 0;
}

int ask(endpoint_t server, msg_t *m) {
  return ask_bulk(server, m, NULL, 0, NULL, 0);
}

bool await(void) {
  msg_t m;
  sys_receive(&m);
  if (m.type == SYS_EXITED || m.type == SYS_RESTARTED) descriptor_server_lost(m.i32[0]);
  if (msg_is_request(&m)) { /* nobody has a reason to */
    msg_t answer = {.type = m.type, .status = -ENOSYS};
    sys_reply(m.token, &answer);
  }
  return signals_take();
}
