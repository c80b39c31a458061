/* A client of a keyboard: writes what was typed to its log, a line for each reading, bytes that are
 * no printable ASCII as \xNN.
 *
 * Arguments: DRIVER [LAYOUT]. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libsys/if/kbd.h"
#include "libsys/sys.h"

SYS_NEEDS(call, "${1:-kbd}");

static char driver_name[32] = "kbd", layout[16];
static endpoint_t driver;

static void show(const char *text, uint32_t n) {
  char line[4 * KBD_BUFFER_BYTES + 1];
  size_t used = 0;
  for (uint32_t i = 0; i < n; i++) {
    bool printable = text[i] >= ' ' && text[i] < 0x7F && text[i] != '\\';
    used += (size_t)snprintf(line + used, sizeof(line) - used, printable ? "%c" : "\\x%02x",
                             (uint8_t)text[i]);
  }
  sys_log("typed: %s", line);
}

static void read_all(void) {
  char text[KBD_BUFFER_BYTES];
  msg_t m;
  do {
    m = (msg_t){.type = KBD_READ};
    IPC(&m, kbd_read)->most = sizeof(text);
    int error = sys_sendrec_bulk(driver, &m, NULL, 0, text, sizeof(text));
    if (error || m.status || !m.payload) return;
    show(text, m.payload);
  } while (m.payload == sizeof(text));
}

static void start(void) {
  msg_t m = {.type = KBD_START};
  int error = sys_sendrec(driver, &m);
  sys_log("started: %s", error ? sys_strerror(error) : "OK");
  if (!layout[0]) return;
  m = (msg_t){.type = KBD_LAYOUT};
  error = sys_sendrec_bulk(driver, &m, layout, strlen(layout), NULL, 0);
  sys_log("layout %s: %s", layout,
          error || m.status ? sys_strerror(error ? error : m.status) : "OK");
}

static int init(const sys_init_t *info) {
  (void)info;
  driver = sys_lookup(driver_name);
  start();
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(driver_name, sizeof(driver_name), "%s", argv[1]);
  if (argc > 2) snprintf(layout, sizeof(layout), "%s", argv[2]);
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED) read_all();
    if (m.type == SYS_RESTARTED && m.i32[0] == driver) start();
  }
}
