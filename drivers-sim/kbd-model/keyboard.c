#include "keyboard.h"

#include "host.h"
#include "keys.h"

enum { DEFAULT_RATE = 0x2B, CODE_BYTES_MAX = 3 };

void keyboard_reset(struct keyboard *k) {
  *k = (struct keyboard){.scans = true, .rate = DEFAULT_RATE};
}

/* ---- bytes for the controller ---- */

static void put(struct keyboard *k, uint8_t byte) {
  if (k->used == KEYBOARD_BUFFER_BYTES) return;
  k->buffer[(k->first + k->used++) % KEYBOARD_BUFFER_BYTES] = byte;
}

bool keyboard_take(struct keyboard *k, uint8_t *byte) {
  if (!k->used) return false;
  *byte = k->buffer[k->first];
  k->first = (k->first + 1) % KEYBOARD_BUFFER_BYTES;
  k->used--;
  return true;
}

bool keyboard_has_room(const struct keyboard *k) {
  return k->used + CODE_BYTES_MAX <= KEYBOARD_BUFFER_BYTES;
}

/* ---- repetition ---- */

/* Delay 250 ms to 1 s; period (8 + A) * 2^B * 4.17 ms. */
static uint64_t delay_us(const struct keyboard *k) {
  return ((k->rate >> 5 & 3) + 1) * 250000ull;
}

static uint64_t period_us(const struct keyboard *k) {
  return (8ull + (k->rate & 7)) * (1u << (k->rate >> 3 & 3)) * 4170;
}

static void repeat_at(struct keyboard *k, uint64_t at_us) {
  k->repeat_us = at_us;
  host_timer(at_us);
}

void keyboard_repeat(struct keyboard *k) {
  if (!k->repeat_us || host_now_us() < k->repeat_us) return;
  if (keyboard_has_room(k)) {
    if (k->held & KEY_EXTENDED) put(k, I8042_EXTENDED);
    put(k, keys_set2(k->held));
  }
  repeat_at(k, host_now_us() + period_us(k));
}

/* ---- keys ---- */

void keyboard_key(struct keyboard *k, uint8_t key, bool down) {
  if (!k->scans) return;
  if (key & KEY_EXTENDED) put(k, I8042_EXTENDED);
  if (!down) put(k, SET2_RELEASED);
  put(k, keys_set2(key));
  if (down) {
    k->held = key;
    repeat_at(k, host_now_us() + delay_us(k));
  } else if (k->held == key) {
    k->held = 0;
    repeat_at(k, 0);
  }
}

/* ---- commands ---- */

static void parameter(struct keyboard *k, uint8_t byte) {
  put(k, KEYBOARD_ACK);
  if (k->command == KEYBOARD_LEDS) k->leds = byte & 7;
  if (k->command == KEYBOARD_RATE) k->rate = byte & 0x7F;
  if (k->command == KEYBOARD_SET && byte == 0) put(k, 2);
  k->command = 0;
}

void keyboard_command(struct keyboard *k, uint8_t byte) {
  if (k->command && byte < KEYBOARD_LEDS) {
    parameter(k, byte);
    return;
  }
  k->command = 0;
  switch (byte) {
  case KEYBOARD_ECHO:
    put(k, KEYBOARD_ECHO);
    return;
  case KEYBOARD_LEDS:
  case KEYBOARD_SET:
  case KEYBOARD_RATE:
    k->command = byte;
    break;
  case KEYBOARD_IDENTIFY:
    put(k, KEYBOARD_ACK);
    put(k, 0xAB);
    put(k, 0x83);
    return;
  case KEYBOARD_SCAN:
    k->scans = true;
    break;
  case KEYBOARD_NO_SCAN:
    k->scans = false;
    k->rate = DEFAULT_RATE;
    break;
  case KEYBOARD_DEFAULTS:
    k->rate = DEFAULT_RATE;
    break;
  case KEYBOARD_RESET:
    keyboard_reset(k);
    put(k, KEYBOARD_ACK);
    put(k, KEYBOARD_PASSED);
    return;
  default:
    put(k, KEYBOARD_RESEND);
    return;
  }
  put(k, KEYBOARD_ACK);
}
