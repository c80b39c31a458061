/* Typing characters that no key gives: by their number, on the keypad, with the left alt key. */
#ifndef PROTEOS_KBD_MODEL_COMPOSE_H
#define PROTEOS_KBD_MODEL_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

enum { COMPOSE_STEPS = 10 /* the key down, up to seven digits, the key up, and the end */ };

struct compose {
  char steps[COMPOSE_STEPS]; /* A: the key down; digits; a: the key up; NUL: no more */
  uint8_t next;
};

/** Begins with the UTF-8 character that `bytes` begin with, when none is being typed.
 * @return how many bytes that took, also of what is no UTF-8; 0: more are needed */
uint32_t compose_begin(struct compose *c, const uint8_t *bytes, uint32_t n);
/** Types on. @return false: there is more, once the device has room */
bool compose_go_on(struct compose *c, struct device *d);

#endif
