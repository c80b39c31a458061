/* Component: answers every request with its own body. */
#include "libsys/sys.h"

int main(void) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED || m.type == SYS_EXITED || m.type == SYS_RESTARTED) continue;
    m.status = 0;
    sys_reply(m.token, &m);
  }
}
