#include "tests/updates/lwip_state.h"

static const char version[] = "one";

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err) {
  struct server *s = arg;
  (void)err;
  s->accepted++;
  tcp_recv(pcb, received);
  tcp_arg(pcb, s);
  return ERR_OK;
}

static void verify(void) {
  check_state();
  CHECK(version[1] == 'n');
}

PAIR_MAIN(.build = build_state, .verify = verify)
