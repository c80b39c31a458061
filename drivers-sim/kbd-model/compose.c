#include "compose.h"

#include <stdio.h>

/* Keys 0 to 9 of the keypad. */
static const uint8_t keypad[] = {0x52, 0x4F, 0x50, 0x51, 0x4B, 0x4C, 0x4D, 0x47, 0x48, 0x49};

static uint32_t length_of(uint8_t lead) {
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
}

uint32_t compose_begin(struct compose *c, const uint8_t *bytes, uint32_t n) {
  uint32_t length = length_of(bytes[0]), character = bytes[0] & (0x7Fu >> length);
  if (length == 1 || bytes[0] > 0xF4) return 1;
  for (uint32_t i = 1; i < length; i++) {
    if (i == n) return 0;
    if ((bytes[i] & 0xC0) != 0x80) return i;
    character = character << 6 | (bytes[i] & 0x3F);
  }
  c->next = 0;
  snprintf(c->steps, sizeof(c->steps), "A%ua", character);
  return length;
}

/* A digit goes down and up at once: it shall not repeat, whatever happens between steps. */
static bool step(struct device *d, char what) {
  if (d->keyboard.used) return false; /* otherwise there is room for all of it */
  if (what == 'A' || what == 'a') return device_key(d, KEY_LEFT_ALT, what == 'A');
  uint8_t key = keypad[what - '0'];
  return device_key(d, key, true) && device_key(d, key, false);
}

bool compose_go_on(struct compose *c, struct device *d) {
  while (c->steps[c->next]) {
    if (!step(d, c->steps[c->next])) return false;
    c->next++;
  }
  return true;
}
