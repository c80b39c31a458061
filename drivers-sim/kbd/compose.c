#include "compose.h"

#include <string.h>

#include "drivers-sim/i8042.h"

enum { CHARACTERS = 0x110000, SURROGATES = 0xD800, AFTER_SURROGATES = 0xE000 };

/* Keys 0 to 9 of the keypad. */
static const uint8_t keypad[] = {0x52, 0x4F, 0x50, 0x51, 0x4B, 0x4C, 0x4D, 0x47, 0x48, 0x49};

static void digit(struct compose *c, uint8_t key) {
  const uint8_t *at = memchr(keypad, key, sizeof(keypad));
  if (!at || !c->alt_down || c->number >= CHARACTERS) return;
  c->number = c->number * 10 + (uint32_t)(at - keypad);
  c->digits++;
}

static char continuation(uint32_t character, unsigned shift) {
  return (char)(0x80 | (character >> shift & 0x3F));
}

static unsigned to_utf8(uint32_t character, char *text) {
  unsigned bytes = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (unsigned i = 1; i < bytes; i++)
    text[i] = continuation(character, 6 * (bytes - 1 - i));
  text[0] = (char)(lead[bytes] | character >> 6 * (bytes - 1));
  return bytes;
}

static bool is_character(uint32_t number) {
  return number < CHARACTERS && (number < SURROGATES || number >= AFTER_SURROGATES);
}

static unsigned alt(struct compose *c, bool down, char *text) {
  bool complete = !down && c->digits && is_character(c->number);
  unsigned n = complete ? to_utf8(c->number, text) : 0;
  if (down && c->alt_down) return 0; /* it is held, and repeats */
  *c = (struct compose){.alt_down = down};
  return n;
}

unsigned compose_take(struct compose *c, uint8_t code, char *text) {
  bool extended = c->extended, down = !(code & SET1_RELEASED);
  uint8_t key = code & (uint8_t)~SET1_RELEASED;
  c->extended = code == I8042_EXTENDED;
  if (extended || c->extended) return 0;
  if (key == KEY_LEFT_ALT) return alt(c, down, text);
  if (down) digit(c, key);
  return 0;
}
