/* tty: the console (libsys/if/tty.h), on a keyboard driver and a wire to whoever shows the screen.
 *
 *   tty KEYBOARD SCREEN [PROGRAM]
 *
 * KEYBOARD is the driver's component, SCREEN the wire's name. PROGRAM is started on the console by
 * the process manager, pm, when somebody comes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "libsys/if/kbd.h"
#include "libsys/sys.h"
#include "servers/tty/console.h"
#include "servers/tty/getty.h"
#include "servers/tty/jobs.h"
#include "servers/tty/keyboard.h"
#include "servers/tty/requests.h"
#include "servers/tty/screen.h"

SYS_NEEDS(call, "${1:-kbd}");

static char keyboard_name[32], wire_name[32], program[128];

static void told_by_screen(void) {
  unsigned events = screen_ready();
  if (events & SCREEN_RESIZED) jobs_signal(SIGWINCH);
  if (events & SCREEN_ATTACHED) getty_wake();
}

static void peer_changed(endpoint_t peer, bool restarted) {
  if (peer != keyboard_driver())
    console_drop_owner(peer);
  else if (restarted)
    keyboard_start();
}

static void process_msg(const msg_t *m) {
  if (m->type == SYS_NOTIFIED && m->source == SYS_KERNEL)
    told_by_screen();
  else if (m->type == SYS_NOTIFIED && m->source == keyboard_driver())
    keyboard_ready();
  else if (m->type == SYS_EXITED || m->type == SYS_RESTARTED)
    peer_changed(m->i32[0], m->type == SYS_RESTARTED);
  else if (msg_is_request(m))
    requests_serve(m, sys_payload());
  else if (m->type & SYS_REPLY_FLAG)
    getty_reply(m);
}

static int init(const sys_init_t *info) {
  (void)info;
  console_init();
  screen_init(wire_name);
  keyboard_init(keyboard_name);
  getty_init(program);
  return 0;
}

/* Keys may have been read and not typed: what is left of them comes now. */
static int recover(const sys_init_t *info) {
  (void)info;
  if (!console_is_sound() || !screen_recover(wire_name)) return -EINVAL;
  keyboard_ready();
  console_settle();
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: tty KEYBOARD SCREEN [PROGRAM]\n");
    return 2;
  }
  snprintf(keyboard_name, sizeof(keyboard_name), "%s", argv[1]);
  snprintf(wire_name, sizeof(wire_name), "%s", argv[2]);
  if (argc > 3) snprintf(program, sizeof(program), "%s", argv[3]);
  event_eh_t handlers = {.init = init, .recover = recover};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
    console_settle();
  }
}
