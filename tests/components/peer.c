#include "tests/components/peer.h"

#include <errno.h>
#include <stdlib.h>

#include "libsys/sys.h"

static uint64_t held; /* token of the last PEER_HOLD */

static void process_msg(const msg_t *m) {
  msg_t answer = {.type = m->type};
  switch (m->type) {
  case PEER_ECHO:
    sys_reply_bulk(m->token, &answer, sys_payload(), m->payload);
    return;
  case PEER_HOLD:
    held = m->token;
    return;
  case PEER_ANSWER_HELD: {
    msg_t late = {.type = PEER_HOLD};
    answer.status = held ? sys_reply(held, &late) : -ENOENT;
    break;
  }
  case PEER_DROP_HELD: {
    msg_t late = {.type = PEER_HOLD};
    answer.status = sys_reply_unchecked(held, &late, NULL, 0);
    break;
  }
  case PEER_DIE:
    abort();
  case PEER_HANG:
    for (volatile int forever = 1; forever;)
      ;
    return;
  default:
    if (!msg_is_request(m)) return;
    answer.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &answer);
}

int main(void) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
