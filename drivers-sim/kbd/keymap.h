/* From scan codes of set 1 to characters. */
#ifndef PROTEOS_KBD_KEYMAP_H
#define PROTEOS_KBD_KEYMAP_H

#include <stdbool.h>
#include <stdint.h>

enum layout { LAYOUT_US, LAYOUT_DE, LAYOUTS };

struct keymap {
  enum layout layout;
  bool extended; /* the next code is of an extended key */
  bool left_shift, right_shift, left_control, right_control, left_alt, right_alt;
  bool caps_lock, caps_is_down;
};

/** @return false: there is no layout of that name */
bool keymap_layout(struct keymap *k, const char *name);

/** Takes a byte of the keyboard's.
 * @param text  receives what the key gives, KEYMAP_TEXT_BYTES at most, NUL-terminated; UTF-8
 * @return how long it is; 0: nothing, or not yet */
unsigned keymap_take(struct keymap *k, uint8_t code, char *text);
enum { KEYMAP_TEXT_BYTES = 8 };

#endif
