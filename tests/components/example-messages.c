#include <errno.h>

#include "tests/components/example.h"

void process_msg(msg_t *m) {
  msg_t answer = {.type = m->type, .status = -ENOSYS};
  if (msg_is_request(m)) sys_reply(m->token, &answer);
}
