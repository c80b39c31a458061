/* The keyboard controller of PCs (Intel 8042) and the keyboard behind it: ports, commands and keys,
 * as in IBM's Personal System/2 Hardware Interface Technical Reference (1990), "Keyboard and
 * Auxiliary Device Controller" and "Keyboards". */
#ifndef PROTEOS_I8042_H
#define PROTEOS_I8042_H

#include <stdint.h>

/* Port 60h and port 64h, at these places in the register region. */
enum i8042_register {
  I8042_DATA =
      0, /* reading takes the byte; writing is for the keyboard, or a command's parameter */
  I8042_STATUS = 4,  /* when read */
  I8042_COMMAND = 8, /* port 64h when written, which has nothing to do with what is read there */
  I8042_BAR_BYTES = 4096,
};

enum i8042_status {
  I8042_OUTPUT_FULL = 1, /* a byte can be read */
  I8042_SYSTEM = 4,      /* the self-test has passed */
  I8042_WAS_COMMAND = 8, /* the last byte written was a command */
  I8042_NOT_LOCKED = 0x10,
};

enum i8042_command {
  I8042_READ_CONFIG = 0x20,
  I8042_WRITE_CONFIG = 0x60, /* a parameter follows */
  I8042_SELF_TEST = 0xAA,    /* answered by I8042_SELF_TEST_PASSED */
  I8042_PORT_TEST = 0xAB,    /* answered by 0 */
  I8042_DISABLE = 0xAD,
  I8042_ENABLE = 0xAE,
};
enum { I8042_SELF_TEST_PASSED = 0x55 };

enum i8042_config {
  I8042_INTERRUPT = 1,
  I8042_SYSTEM_FLAG = 4,
  I8042_DISABLED = 0x10,
  I8042_TRANSLATE = 0x40, /* scan codes of set 2 become those of set 1 */
};

enum keyboard_command {
  KEYBOARD_LEDS = 0xED, /* a parameter follows: scroll 1, num 2, caps 4 */
  KEYBOARD_ECHO = 0xEE,
  KEYBOARD_SET = 0xF0,      /* a parameter follows: 0 asks which, 2 */
  KEYBOARD_IDENTIFY = 0xF2, /* answered by ACK, AB, 83 */
  KEYBOARD_RATE = 0xF3,     /* a parameter follows: delay in bits 6:5, rate in 4:0 */
  KEYBOARD_SCAN = 0xF4,
  KEYBOARD_NO_SCAN = 0xF5, /* and defaults */
  KEYBOARD_DEFAULTS = 0xF6,
  KEYBOARD_RESET = 0xFF, /* answered by ACK, KEYBOARD_PASSED */
};
enum keyboard_answer {
  KEYBOARD_OVERRUN = 0x00,
  KEYBOARD_PASSED = 0xAA,
  KEYBOARD_ACK = 0xFA,
  KEYBOARD_RESEND = 0xFE, /* that was no command */
};

#define I8042_EXTENDED 0xE0 /* in front of the code of a key that was added later; both sets */
#define SET2_RELEASED  0xF0 /* in front of the code of a key that goes up */
#define SET1_RELEASED  0x80 /* or-ed into it */

/* Keys: their code in set 1, or-ed with KEY_EXTENDED for those with I8042_EXTENDED before it. */
#define KEY_EXTENDED 0x80
enum key {
  KEY_ESCAPE = 0x01,
  KEY_BACKSPACE = 0x0E,
  KEY_TAB = 0x0F,
  KEY_ENTER = 0x1C,
  KEY_LEFT_CONTROL = 0x1D,
  KEY_LEFT_SHIFT = 0x2A,
  KEY_RIGHT_SHIFT = 0x36,
  KEY_LEFT_ALT = 0x38,
  KEY_SPACE = 0x39,
  KEY_CAPS_LOCK = 0x3A,
  KEY_F1 = 0x3B,   /* to F10 */
  KEY_LESS = 0x56, /* beside the left shift, where there is one */
  KEY_F11 = 0x57,
  KEY_F12 = 0x58,
  KEY_RIGHT_CONTROL = KEY_EXTENDED | 0x1D,
  KEY_RIGHT_ALT = KEY_EXTENDED | 0x38,
  KEY_HOME = KEY_EXTENDED | 0x47,
  KEY_UP = KEY_EXTENDED | 0x48,
  KEY_PAGE_UP = KEY_EXTENDED | 0x49,
  KEY_LEFT = KEY_EXTENDED | 0x4B,
  KEY_RIGHT = KEY_EXTENDED | 0x4D,
  KEY_END = KEY_EXTENDED | 0x4F,
  KEY_DOWN = KEY_EXTENDED | 0x50,
  KEY_PAGE_DOWN = KEY_EXTENDED | 0x51,
  KEY_INSERT = KEY_EXTENDED | 0x52,
  KEY_DELETE = KEY_EXTENDED | 0x53,
  KEYS = 0x100,
};

#endif
