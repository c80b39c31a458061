/* The kbd component: driver of a PC's keyboard, for one console (libsys/if/kbd.h).
 *
 * Arguments: KEYBOARD [MODEL [LAYOUT]]. KEYBOARD names the device's region, MODEL the component
 * that simulates it, LAYOUT is us (if not given) or de. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "drivers-sim/hw.h"
#include "drivers-sim/i8042.h"
#include "keymap.h"
#include "libsys/if/kbd.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-kbd0}.bar");
SYS_NEEDS(call, "${2:-kbd-model}");

enum { POLLS = 100 /* of the device, each of which lets it work */, LED_CAPS = 4 };

static struct {
  struct hw hw;
  struct keymap keymap;
  endpoint_t client; /* 0: nobody has started us */
  uint32_t first, used;
  char buffer[KBD_BUFFER_BYTES]; /* round */
  uint8_t leds;                  /* as they were set */
  bool device_ready;
} driver;
static char keyboard[32] = "kbd0";
static struct compose compose;
static char model[32] = "kbd-model";

/* ---- the device ---- */

static int take(uint8_t *byte) {
  for (unsigned i = 0; i < POLLS; i++) {
    uint32_t status, value;
    int error = hw_read_effect(&driver.hw, I8042_STATUS, &status);
    if (error) return error;
    if (!(status & I8042_OUTPUT_FULL)) continue;
    error = hw_read_effect(&driver.hw, I8042_DATA, &value);
    *byte = (uint8_t)value;
    return error;
  }
  return -ETIMEDOUT;
}

static int expect(uint8_t wanted) {
  uint8_t byte = 0;
  int error = take(&byte);
  return error ? error : byte == wanted ? 0 : -EIO;
}

static int command(uint8_t byte) {
  return hw_write_effect(&driver.hw, I8042_COMMAND, byte);
}

static int send(uint8_t byte) {
  return hw_write_effect(&driver.hw, I8042_DATA, byte);
}

static int send_and_expect_ack(uint8_t byte) {
  int error = send(byte);
  return error ? error : expect(KEYBOARD_ACK);
}

/* What it still had to say is of no interest. */
static int discard(void) {
  for (unsigned i = 0; i < POLLS; i++) {
    uint32_t status, value;
    int error = hw_read_effect(&driver.hw, I8042_STATUS, &status);
    if (error || !(status & I8042_OUTPUT_FULL)) return error;
    error = hw_read_effect(&driver.hw, I8042_DATA, &value);
    if (error) return error;
  }
  return -EIO;
}

static int reset_keyboard(void) {
  int error = send_and_expect_ack(KEYBOARD_RESET);
  if (!error) error = expect(KEYBOARD_PASSED);
  if (!error) error = send_and_expect_ack(KEYBOARD_SCAN);
  return error;
}

static int start_device(void) {
  driver.device_ready = false;
  enum layout layout = driver.keymap.layout;
  driver.keymap = (struct keymap){.layout = layout}; /* no key is down */
  compose = (struct compose){0};
  int error = command(I8042_DISABLE);
  if (!error) error = discard();
  if (!error) error = command(I8042_SELF_TEST);
  if (!error) error = expect(I8042_SELF_TEST_PASSED);
  if (!error) error = command(I8042_PORT_TEST);
  if (!error) error = expect(0);
  if (!error) error = command(I8042_ENABLE);
  if (!error) error = reset_keyboard();
  if (!error) error = command(I8042_WRITE_CONFIG);
  if (!error) error = send(I8042_INTERRUPT | I8042_SYSTEM_FLAG | I8042_TRANSLATE);
  driver.leds = 0;
  driver.device_ready = !error;
  if (error) sys_log("keyboard %s does not come up: %s", keyboard, sys_strerror(error));
  return error;
}

/* Its acknowledgements come like keys, and are none. */
static void show_caps_lock(void) {
  uint8_t leds = driver.keymap.caps_lock ? LED_CAPS : 0;
  if (leds == driver.leds) return;
  driver.leds = leds;
  send(KEYBOARD_LEDS);
  send(leds);
}

/* ---- characters ---- */

/* There is room. */
static void keep(const char *text, unsigned n) {
  bool was_empty = driver.used == 0;
  if (!n || !driver.client) return;
  for (unsigned i = 0; i < n; i++)
    driver.buffer[(driver.first + driver.used++) % KBD_BUFFER_BYTES] = text[i];
  if (was_empty) sys_notify(driver.client, KBD_READY);
}

/* While there is none the rest stays in the keyboard, which lets whoever types wait. */
static bool has_room(void) {
  return !driver.client || driver.used + KEYMAP_TEXT_BYTES + COMPOSE_TEXT_BYTES <= KBD_BUFFER_BYTES;
}

static void read_keys(void) {
  char text[KEYMAP_TEXT_BYTES];
  uint32_t code;
  if (!driver.device_ready) return;
  while (has_room() && hw_read(&driver.hw, I8042_STATUS) & I8042_OUTPUT_FULL) {
    if (hw_read_effect(&driver.hw, I8042_DATA, &code)) return;
    if (code == KEYBOARD_ACK || code == KEYBOARD_RESEND) continue;
    keep(text, keymap_take(&driver.keymap, (uint8_t)code, text));
    keep(text, compose_take(&compose, (uint8_t)code, text));
  }
  show_caps_lock();
}

static void answer_read(const msg_t *m, msg_t *reply) {
  char text[KBD_BUFFER_BYTES];
  uint32_t n = IPC(m, kbd_read)->most < driver.used ? IPC(m, kbd_read)->most : driver.used;
  for (uint32_t i = 0; i < n; i++)
    text[i] = driver.buffer[(driver.first + i) % KBD_BUFFER_BYTES];
  driver.first = (driver.first + n) % KBD_BUFFER_BYTES;
  driver.used -= n;
  sys_reply_bulk(m->token, reply, text, n);
}

static int choose_layout(const msg_t *m) {
  char name[16] = "";
  if (m->payload == 0 || m->payload >= sizeof(name)) return -ENOENT;
  memcpy(name, sys_payload(), m->payload);
  return keymap_layout(&driver.keymap, name) ? 0 : -ENOENT;
}

/* ---- the component ---- */

static int init(const sys_init_t *info) {
  (void)info;
  int error = hw_open(&driver.hw, keyboard, model, false);
  if (error || driver.hw.bar_bytes < I8042_BAR_BYTES) {
    sys_log("can't open keyboard %s of component %s: %s", keyboard, model,
            error ? strerror(-error) : "its region bar is too small");
    return error ? error : -ENOSPC;
  }
  start_device();
  return 0; /* it may come up later */
}

static int live_update(const sys_init_t *info) {
  (void)info;
  return driver.first < KBD_BUFFER_BYTES && driver.used <= KBD_BUFFER_BYTES &&
                 driver.keymap.layout < LAYOUTS
             ? 0
             : -EINVAL;
}

static void committed(const sys_init_t *info) {
  (void)info;
  read_keys();
}

static void peer_changed(endpoint_t peer, bool restarted) {
  if (peer == driver.hw.model && restarted) {
    if (!start_device()) sys_log("keyboard %s is back", keyboard);
  } else if (peer == driver.hw.model) {
    driver.device_ready = false;
  } else if (peer == driver.client) {
    driver.client = 0;
  }
}

static void start(endpoint_t client) {
  driver.client = client;
  driver.used = 0;
}

static void process_request(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case KBD_START:
    start(m->source);
    read_keys();
    break;
  case KBD_READ:
    if (m->source == driver.client) {
      answer_read(m, &reply);
      read_keys();
      return;
    }
    reply.status = -EPERM;
    break;
  case KBD_LAYOUT:
    reply.status = choose_layout(m);
    break;
  default:
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(keyboard, sizeof(keyboard), "%s", argv[1]);
  if (argc > 2) snprintf(model, sizeof(model), "%s", argv[2]);
  if (argc > 3 && !keymap_layout(&driver.keymap, argv[3])) {
    fprintf(stderr, "kbd: there is no layout '%s': us, de\n", argv[3]);
    return 2;
  }
  event_eh_t handlers = {.init = init, .live_update = live_update, .committed = committed};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (hw_is_interrupt(&driver.hw, &m))
      read_keys();
    else if (m.type == SYS_EXITED || m.type == SYS_RESTARTED)
      peer_changed(m.i32[0], m.type == SYS_RESTARTED);
    else if (msg_is_request(&m))
      process_request(&m);
  }
}
