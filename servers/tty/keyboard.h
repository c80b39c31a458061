/* The keyboard: a driver of libsys/if/kbd.h. */
#ifndef TTY_KEYBOARD_H
#define TTY_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/msg.h"

/** @param driver  its component's name */
void keyboard_init(const char *driver);
endpoint_t keyboard_driver(void);
/** The driver was restarted. */
void keyboard_start(void);
/** Something was typed, and can be read. */
void keyboard_ready(void);
/** Takes what was typed, each byte to typed(), as much as keys_wanted(); the rest stays with the
 * driver. @return whether there was anything */
bool keyboard_read(void);

/** Of the component: how many bytes it would take now. */
uint32_t keys_wanted(void);
/** And: one byte was typed. */
void typed(uint8_t byte);

#endif
