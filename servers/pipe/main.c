/* pipe: pipes between applications (libsys/if/pipe.h). It calls nobody. */
#include <errno.h>

#include "libsys/if/pipe.h"
#include "libsys/sys.h"
#include "servers/pipe/pipes.h"
#include "servers/pipe/requests.h"

static void process_msg(const msg_t *m) {
  switch (m->type) {
  case SYS_EXITED:
  case SYS_RESTARTED:
    requests_drop_owner(m->i32[0]);
    break;
  case PIPE_MAKE:
    do_make(m);
    break;
  case IO_READ:
    do_read(m);
    break;
  case IO_WRITE:
    do_write(m, sys_payload());
    break;
  case IO_CLOSE:
    do_close(m);
    break;
  case IO_DUPLICATE:
    do_duplicate(m);
    break;
  case IO_WATCH:
    do_watch(m);
    break;
  default:
    if (msg_is_request(m)) answer_status(m, -ENOSYS);
    break;
  }
}

/* A request that was being answered is given up by the bus; all else goes on. */
static int recover(const sys_init_t *info) {
  (void)info;
  return pipes_are_sound() ? 0 : -EINVAL;
}

int main(void) {
  event_eh_t handlers = {.recover = recover};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
