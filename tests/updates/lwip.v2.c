/* The same stack with everything in other places; the handshake that the old version's listener
 * began is finished here. */
#include "tests/updates/lwip_state.h"

static int pushes_everything_down[100] = {1, 2, 3};
static const char version[] = "the second version";

static void verify(void) {
  check_state();
  CHECK(pushes_everything_down[2] == 3 && version[4] == 's');
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err) {
  struct server *s = arg;
  (void)err;
  s->accepted++;
  tcp_recv(pcb, received);
  tcp_arg(pcb, s);
  return ERR_OK;
}

PAIR_MAIN(.build = build_state, .verify = verify)
