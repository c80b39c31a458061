/* The keyboard: keys become scan codes of set 2; commands from the controller are answered. */
#ifndef PROTEOS_KBD_KEYBOARD_H
#define PROTEOS_KBD_KEYBOARD_H

#include "device.h"

void keyboard_reset(struct keyboard *k);
/** A byte from the controller. */
void keyboard_command(struct keyboard *k, uint8_t byte);
/** The next byte for it. @return false: there is none */
bool keyboard_take(struct keyboard *k, uint8_t *byte);
/** Whether the codes of any key fit. */
bool keyboard_has_room(const struct keyboard *k);
/** A key that exists goes down or up. */
void keyboard_key(struct keyboard *k, uint8_t key, bool down);
/** Repeats the key that is held, if its time has come. */
void keyboard_repeat(struct keyboard *k);

#endif
