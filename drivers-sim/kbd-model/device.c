/* The keyboard controller: its ports, and the bytes between them and the keyboard. */
#include "device.h"

#include <string.h>

#include "host.h"
#include "keyboard.h"
#include "keys.h"

static uint32_t load(const struct device *d, uint32_t reg) {
  return __atomic_load_n(&d->bar[reg / 4], __ATOMIC_ACQUIRE);
}

static void store(struct device *d, uint32_t reg, uint32_t value) {
  __atomic_store_n(&d->bar[reg / 4], value, __ATOMIC_RELEASE);
}

void device_init(struct device *d, uint32_t *bar) {
  *d = (struct device){.bar = bar, .config = I8042_DISABLED};
  memset(bar, 0, I8042_BAR_BYTES);
  store(d, I8042_STATUS, I8042_NOT_LOCKED);
  keyboard_reset(&d->keyboard);
}

static bool output_is_full(const struct device *d) {
  return load(d, I8042_STATUS) & I8042_OUTPUT_FULL;
}

static void put_output(struct device *d, uint8_t byte) {
  store(d, I8042_DATA, byte);
  store(d, I8042_STATUS, load(d, I8042_STATUS) | I8042_OUTPUT_FULL);
}

/* @return false when the byte only changes the one that follows */
static bool translate(struct device *d, uint8_t *byte) {
  if (!(d->config & I8042_TRANSLATE)) return true;
  if (*byte == SET2_RELEASED) {
    d->released = true;
    return false;
  }
  if (*byte == I8042_EXTENDED || *byte == KEYBOARD_ACK || *byte == KEYBOARD_RESEND) return true;
  *byte = keys_translate(*byte);
  if (d->released) *byte |= SET1_RELEASED;
  d->released = false;
  return true;
}

/* The keyboard's next byte, once the last one was read. */
static void fill_output(struct device *d) {
  uint8_t byte;
  while (!(d->config & I8042_DISABLED) && !output_is_full(d) &&
         keyboard_take(&d->keyboard, &byte)) {
    if (!translate(d, &byte)) continue;
    put_output(d, byte);
    if (d->config & I8042_INTERRUPT) host_interrupt();
  }
}

/* ---- ports ---- */

static void command(struct device *d, uint8_t byte) {
  d->command = 0;
  switch (byte) {
  case I8042_READ_CONFIG:
    put_output(d, d->config);
    break;
  case I8042_WRITE_CONFIG:
    d->command = byte;
    break;
  case I8042_SELF_TEST:
    store(d, I8042_STATUS, load(d, I8042_STATUS) | I8042_SYSTEM);
    put_output(d, I8042_SELF_TEST_PASSED);
    break;
  case I8042_PORT_TEST:
    put_output(d, 0);
    break;
  case I8042_DISABLE:
    d->config |= I8042_DISABLED;
    break;
  case I8042_ENABLE:
    d->config &= (uint8_t)~I8042_DISABLED;
    break;
  }
}

static void data(struct device *d, uint8_t byte) {
  if (d->command == I8042_WRITE_CONFIG)
    d->config = byte;
  else
    keyboard_command(&d->keyboard, byte);
  d->command = 0;
}

uint32_t device_read(struct device *d, uint32_t reg) {
  if (reg == I8042_STATUS) return load(d, reg);
  if (reg != I8042_DATA) return UINT32_MAX;
  uint32_t byte = load(d, I8042_DATA);
  store(d, I8042_STATUS, load(d, I8042_STATUS) & ~(uint32_t)I8042_OUTPUT_FULL);
  fill_output(d);
  return byte;
}

void device_write(struct device *d, uint32_t reg, uint32_t value) {
  uint32_t status = load(d, I8042_STATUS) & ~(uint32_t)I8042_WAS_COMMAND;
  if (reg != I8042_DATA && reg != I8042_COMMAND) return;
  store(d, I8042_STATUS, status | (reg == I8042_COMMAND ? I8042_WAS_COMMAND : 0));
  if (reg == I8042_COMMAND)
    command(d, (uint8_t)value);
  else
    data(d, (uint8_t)value);
  fill_output(d);
}

/* ---- keys ---- */

bool device_has_room(const struct device *d) {
  return keyboard_has_room(&d->keyboard);
}

bool device_key(struct device *d, uint8_t key, bool down) {
  bool taken = keys_set2(key) && keyboard_has_room(&d->keyboard);
  if (taken) keyboard_key(&d->keyboard, key, down);
  fill_output(d);
  return taken;
}

/* What was pressed for it goes up again in the reverse order; without that there is room for all.
 */
bool device_type(struct device *d, uint8_t character, bool *unknown) {
  bool shift, control;
  uint8_t key = keys_for(character, &shift, &control);
  *unknown = key == 0;
  if (!key || d->keyboard.used) return false;
  if (control) keyboard_key(&d->keyboard, KEY_LEFT_CONTROL, true);
  if (shift) keyboard_key(&d->keyboard, KEY_LEFT_SHIFT, true);
  keyboard_key(&d->keyboard, key, true);
  keyboard_key(&d->keyboard, key, false);
  if (shift) keyboard_key(&d->keyboard, KEY_LEFT_SHIFT, false);
  if (control) keyboard_key(&d->keyboard, KEY_LEFT_CONTROL, false);
  fill_output(d);
  return true;
}

void device_timer(struct device *d) {
  keyboard_repeat(&d->keyboard);
  fill_output(d);
}
