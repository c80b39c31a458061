#include "apps/sh/keys.h"

#include <ctype.h>
#include <utf8proc.h>

#include "servers/tty/columns.h"

enum { ESCAPE = 0x1B, DELETE = 0x7F };
#define CONTROL(letter) ((letter)&0x1F)

static enum key by_control(uint8_t byte) {
  switch (byte) {
  case CONTROL('A'):
    return KEY_HOME;
  case CONTROL('B'):
    return KEY_LEFT;
  case CONTROL('C'):
    return KEY_DROP;
  case CONTROL('D'):
    return KEY_END_INPUT;
  case CONTROL('E'):
    return KEY_END;
  case CONTROL('F'):
    return KEY_RIGHT;
  case CONTROL('H'):
  case DELETE:
    return KEY_ERASE;
  case CONTROL('I'):
    return KEY_COMPLETE;
  case CONTROL('J'):
  case CONTROL('M'):
    return KEY_ENTER;
  case CONTROL('K'):
    return KEY_KILL_AFTER;
  case CONTROL('L'):
    return KEY_CLEAR;
  case CONTROL('N'):
    return KEY_DOWN;
  case CONTROL('P'):
    return KEY_UP;
  case CONTROL('U'):
    return KEY_KILL_BEFORE;
  case CONTROL('W'):
    return KEY_KILL_WORD;
  default:
    return KEY_NONE;
  }
}

static enum key by_letter(uint8_t letter) {
  switch (letter) {
  case 'A':
    return KEY_UP;
  case 'B':
    return KEY_DOWN;
  case 'C':
    return KEY_RIGHT;
  case 'D':
    return KEY_LEFT;
  case 'F':
    return KEY_END;
  case 'H':
    return KEY_HOME;
  default:
    return KEY_NONE;
  }
}

static enum key by_number(unsigned number) {
  switch (number) {
  case 1:
  case 7:
    return KEY_HOME;
  case 3:
    return KEY_DELETE;
  case 4:
  case 8:
    return KEY_END;
  default:
    return KEY_NONE;
  }
}

static enum key escape(struct keys *k, uint8_t byte) {
  k->number = 0;
  k->other = false;
  k->state = byte == '[' ? KEYS_CONTROL : byte == 'O' ? KEYS_SINGLE : KEYS_PLAIN;
  return KEY_NONE;
}

/* ECMA-48: parameters and intermediate bytes, until a final byte. */
static enum key control_sequence(struct keys *k, uint8_t byte) {
  if (isdigit(byte)) {
    k->number = k->number < 1000 ? k->number * 10 + (byte - '0') : k->number;
    return KEY_NONE;
  }
  if (byte < 0x40) {
    k->other = true;
    return KEY_NONE;
  }
  /* Linux's function keys: ESC [ [ A */
  k->state = byte == '[' ? KEYS_SINGLE : KEYS_PLAIN;
  if (byte == '[') k->other = true;
  if (k->other) return KEY_NONE;
  return byte == '~' ? by_number(k->number) : by_letter(byte);
}

static enum key single(struct keys *k, uint8_t byte) {
  k->state = KEYS_PLAIN;
  return k->other ? KEY_NONE : by_letter(byte);
}

static enum key text(struct keys *k, uint8_t byte) {
  if (!columns_continues(byte)) {
    k->used = 0;
    k->needed = (unsigned)utf8proc_utf8class[byte];
  }
  if (k->used == k->needed) return KEY_NONE; /* no UTF-8 */
  k->text[k->used++] = (char)byte;
  return k->used == k->needed && keys_can_type(k->text, k->used) ? KEY_TEXT : KEY_NONE;
}

enum key keys_type(struct keys *k, uint8_t byte) {
  if (byte < ' ' || byte == DELETE) {
    k->state = byte == ESCAPE ? KEYS_ESCAPE : KEYS_PLAIN;
    k->used = k->needed = 0;
    return by_control(byte);
  }
  switch (k->state) {
  case KEYS_ESCAPE:
    return escape(k, byte);
  case KEYS_CONTROL:
    return control_sequence(k, byte);
  case KEYS_SINGLE:
    return single(k, byte);
  default:
    return text(k, byte);
  }
}

bool keys_can_type(const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes;) {
    utf8proc_int32_t character;
    utf8proc_ssize_t n =
        utf8proc_iterate((const uint8_t *)text + i, (utf8proc_ssize_t)(bytes - i), &character);
    if (n <= 0 || utf8proc_category(character) == UTF8PROC_CATEGORY_CC) return false;
    i += (size_t)n;
  }
  return true;
}
