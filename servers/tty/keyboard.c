#include "servers/tty/keyboard.h"

#include "libsys/if/kbd.h"
#include "libsys/sys.h"

static endpoint_t driver;

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

void keyboard_read(void) {
  uint8_t bytes[KBD_BUFFER_BYTES];
  msg_t m;
  do {
    m = (msg_t){.type = KBD_READ};
    IPC(&m, kbd_read)->most = sizeof(bytes);
    if (sys_sendrec_bulk(driver, &m, NULL, 0, bytes, sizeof(bytes)) || m.status) return;
    for (uint32_t i = 0; i < m.payload; i++)
      typed(bytes[i]);
  } while (m.payload == sizeof(bytes));
}
