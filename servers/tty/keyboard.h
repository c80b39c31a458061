/* The keyboard: a driver of libsys/if/kbd.h. */
#ifndef TTY_KEYBOARD_H
#define TTY_KEYBOARD_H

#include "libsys/msg.h"

/** @param driver  its component's name */
void keyboard_init(const char *driver);
endpoint_t keyboard_driver(void);
/** The driver was restarted. */
void keyboard_start(void);
/** Takes what was typed, each byte to typed(). */
void keyboard_read(void);

/** Of the component: one byte was typed. */
void typed(uint8_t byte);

#endif
