#include "keys.h"

#include <string.h>

#include "drivers-sim/i8042.h"

/* Set 2 by set 1, from 01h on. */
static const uint8_t set2[] = {
    0x76, 0x16, 0x1E, 0x26, 0x25, 0x2E, 0x36, 0x3D, 0x3E, 0x46, 0x45, 0x4E, 0x55,
    0x66, 0x0D, /* 0F */
    0x15, 0x1D, 0x24, 0x2D, 0x2C, 0x35, 0x3C, 0x43, 0x44, 0x4D, 0x54, 0x5B, 0x5A,
    0x14, 0x1C, /* 1E */
    0x1B, 0x23, 0x2B, 0x34, 0x33, 0x3B, 0x42, 0x4B, 0x4C, 0x52, 0x0E, 0x12, 0x5D,
    0x1A, 0x22, /* 2D */
    0x21, 0x2A, 0x32, 0x31, 0x3A, 0x41, 0x49, 0x4A, 0x59, 0x7C, 0x11, 0x29, 0x58,
    0x05, 0x06, /* 3C */
    0x04, 0x0C, 0x03, 0x0B, 0x83, 0x0A, 0x01, 0x09, 0x77, 0x7E, 0x6C, 0x75, 0x7D,
    0x7B, 0x6B,                                                                   /* 4B */
    0x73, 0x74, 0x79, 0x69, 0x72, 0x7A, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07, /* 58 */
};
enum { CODES = sizeof(set2) };

static const uint8_t extended[] = {KEY_RIGHT_CONTROL, KEY_RIGHT_ALT, KEY_HOME,   KEY_UP,
                                   KEY_PAGE_UP,       KEY_LEFT,      KEY_RIGHT,  KEY_END,
                                   KEY_DOWN,          KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE};

uint8_t keys_set2(uint8_t key) {
  uint8_t code = key & (uint8_t)~KEY_EXTENDED;
  bool known = !(key & KEY_EXTENDED) || memchr(extended, key, sizeof(extended));
  return known && code >= 1 && code <= CODES ? set2[code - 1] : 0;
}

uint8_t keys_translate(uint8_t code) {
  const uint8_t *at = memchr(set2, code, CODES);
  return at ? (uint8_t)(at - set2 + 1) : code;
}

/* The characters of the keys from 02h on; NUL: none. */
static const char plain[] = "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0\0";
_Static_assert(sizeof(plain) == sizeof(shifted), "both have all keys");

static uint8_t find(const char *characters, uint8_t character) {
  const char *at = memchr(characters, character, sizeof(plain) - 1);
  return at && character ? (uint8_t)(at - characters + 2) : 0;
}

uint8_t keys_for(uint8_t character, bool *shift, bool *control) {
  *shift = *control = false;
  if (character == '\n') character = '\r';
  if (character == 0x7F) return KEY_BACKSPACE; /* what terminals send for it */
  if (character == 0x1B) return KEY_ESCAPE;
  uint8_t key = find(plain, character);
  if (key) return key;
  key = find(shifted, character);
  *shift = key != 0;
  if (key || character >= 0x20) return key;
  *control = true;
  if (character == 0) return KEY_SPACE;
  key = find(plain, character + (character <= 26 ? 0x60 : 0x40)); /* letters, and \ and ] */
  if (key) return key;
  key = find(shifted, character + 0x40); /* ^ and _ */
  *shift = key != 0;
  return key;
}
