#include "servers/tty/keyboard.h"

#include "libsys/if/kbd.h"
#include "libsys/sys.h"

static endpoint_t driver;
static bool has_more; /* the driver may have, and will not say so again */

endpoint_t keyboard_driver(void) {
  return driver;
}

void keyboard_start(void) {
  msg_t m = {.type = KBD_START};
  int error = sys_sendrec(driver, &m);
  if (!error) error = m.status;
  if (error) sys_log("the keyboard does not start: %s", sys_strerror(error));
}

void keyboard_init(const char *name) {
  driver = sys_lookup(name);
  keyboard_start();
}

void keyboard_ready(void) {
  has_more = true;
}

bool keyboard_read(void) {
  uint8_t bytes[KBD_BUFFER_BYTES];
  uint32_t most;
  bool any = false;
  while (has_more && (most = keys_wanted())) {
    msg_t m = {.type = KBD_READ};
    if (most > sizeof(bytes)) most = sizeof(bytes);
    IPC(&m, kbd_read)->most = most;
    if (sys_sendrec_bulk(driver, &m, NULL, 0, bytes, sizeof(bytes)) || m.status) break;
    has_more = m.payload == most;
    any |= m.payload > 0;
    for (uint32_t i = 0; i < m.payload; i++)
      typed(bytes[i]);
  }
  return any;
}
