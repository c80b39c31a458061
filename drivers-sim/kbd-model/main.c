/* The kbd-model component: the device on the bus, and who types.
 *
 * Arguments: KEYBOARD. The region KEYBOARD.bar is its register space. What comes over the wire
 * KEYBOARD is typed, UTF-8, but 81h K, by which key K (drivers-sim/i8042.h) goes down and stays
 * down, and 82h K, by which it goes up. Other bytes that are no UTF-8, and control characters that
 * no key gives, are dropped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "compose.h"
#include "device.h"
#include "drivers-sim/hw_model.h"
#include "host.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-kbd0}.bar");

enum bit { BIT_WIRE, BIT_REPEAT };
enum { TYPE_DOWN = 0x81, TYPE_UP = 0x82, PENDING_BYTES = 4096 };

static char keyboard[32] = "kbd0";
static struct device device;
static int wire = -1;
static uint8_t pending[PENDING_BYTES]; /* to be typed */
static uint32_t npending;
static struct compose compose;
static bool watched;

void host_interrupt(void) {
  hw_model_interrupt();
}

void host_timer(uint64_t at_us) {
  sys_alarm(BIT_REPEAT, at_us);
}

uint64_t host_now_us(void) {
  return sys_time_us();
}

/* ---- typing ---- */

/* @return how many of the bytes were used; 0: more are needed, or there is no room */
static uint32_t type_next(const uint8_t *bytes, uint32_t n) {
  bool unknown = false;
  if (!compose_go_on(&compose, &device) || n == 0) return 0;
  if (bytes[0] < 0x80) return device_type(&device, bytes[0], &unknown) || unknown;
  if (bytes[0] != TYPE_DOWN && bytes[0] != TYPE_UP) return compose_begin(&compose, bytes, n);
  if (n < 2 || !device_has_room(&device)) return 0;
  device_key(&device, bytes[1], bytes[0] == TYPE_DOWN);
  return 2;
}

static void type(void) {
  uint32_t done = 0, n;
  while ((n = type_next(pending + done, npending - done)))
    done += n;
  npending -= done;
  memmove(pending, pending + done, npending);
}

/* Nothing is read while there is enough: that is the back-pressure. */
static void watch_wire(void) {
  bool want = wire >= 0 && npending < PENDING_BYTES;
  if (want == watched || wire < 0) return;
  watched = want;
  sys_watch(wire, want ? SYS_WATCH_READ : 0, BIT_WIRE);
}

static void wire_readable(void) {
  if (wire < 0 || npending == PENDING_BYTES) return;
  ssize_t n = recv(wire, pending + npending, PENDING_BYTES - npending, MSG_DONTWAIT);
  if (n > 0) npending += (uint32_t)n;
  if (n > 0 || (n < 0 && errno == EAGAIN)) return;
  sys_log("nobody types on %s any more", keyboard);
  sys_close(wire);
  wire = -1;
}

/* ---- the component ---- */

static int init(const sys_init_t *info) {
  (void)info;
  uint32_t bytes;
  uint32_t *bar = hw_model_region(keyboard, "bar", I8042_BAR_BYTES, &bytes);
  if (!bar) return -ENOENT;
  device_init(&device, bar);
  wire = sys_inherited(keyboard);
  if (wire < 0) sys_log("nobody types on %s: it has no wire", keyboard);
  watch_wire();
  return 0;
}

uint32_t model_read(uint32_t reg) {
  return device_read(&device, reg);
}

void model_write(uint32_t reg, uint32_t value) {
  device_write(&device, reg, value);
}

/* Every write of this device's has an effect, and is a message. */
void model_doorbell(void) {}

static void rang(uint64_t bits) {
  if (bits & 1u << BIT_WIRE) wire_readable();
  if (bits & 1u << BIT_REPEAT) device_timer(&device);
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(keyboard, sizeof(keyboard), "%s", argv[1]);
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL)
      rang(m.bits);
    else
      hw_model_serve(&m);
    type();
    watch_wire();
  }
}
