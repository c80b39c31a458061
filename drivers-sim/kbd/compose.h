/* Characters by their number: the left alt key down, the number's decimal digits on the keypad, and
 * the key up again, as on Linux's console. */
#ifndef PROTEOS_KBD_COMPOSE_H
#define PROTEOS_KBD_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

struct compose {
  bool extended;   /* the next code is of an extended key */
  bool alt_down;   /* the left one */
  unsigned digits; /* that were typed since */
  uint32_t number;
};

/** Takes a byte of the keyboard's, of set 1.
 * @param text  receives the character that is complete with it, COMPOSE_TEXT_BYTES at most; UTF-8
 * @return how long it is; 0: none is */
unsigned compose_take(struct compose *c, uint8_t code, char *text);
enum { COMPOSE_TEXT_BYTES = 4 };

#endif
