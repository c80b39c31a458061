/* The device: an 8042 with a keyboard, its state and what can be done to it. */
#ifndef PROTEOS_KBD_DEVICE_H
#define PROTEOS_KBD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers-sim/i8042.h"

enum { KEYBOARD_BUFFER_BYTES = 16 /* real keyboards have as much */ };

struct keyboard {
  /* What the controller has not taken yet, in set 2; round. */
  uint8_t buffer[KEYBOARD_BUFFER_BYTES];
  uint32_t first, used;
  bool scans;
  uint8_t command; /* that waits for its parameter; 0: none */
  uint8_t rate, leds;
  uint8_t held;       /* the key that repeats, enum key; 0: none */
  uint64_t repeat_us; /* when it does next; 0: it does not */
};

struct device {
  uint32_t *bar;
  uint8_t config, command; /* a command of the controller's that waits for its parameter; 0: none */
  bool released;           /* the keyboard has sent SET2_RELEASED, and not the code yet */
  struct keyboard keyboard;
};

/** Powers the device on. @param bar  I8042_BAR_BYTES of shared memory, borrowed */
void device_init(struct device *d, uint32_t *bar);

/** A register access that came as a message. Any offset is allowed. */
uint32_t device_read(struct device *d, uint32_t reg);
void device_write(struct device *d, uint32_t reg, uint32_t value);

/** A key goes down or up. One that stays down repeats.
 * @return false when the keyboard has no room for that now, or there is no such key */
bool device_key(struct device *d, uint8_t key, bool down);
/** Whether that would be taken now. */
bool device_has_room(const struct device *d);
/** Types a character on a keyboard with the layout `us`: the keys that give it go down and up.
 * @return false as device_key(); nothing has happened then
 * @param unknown  receives whether no key gives it */
bool device_type(struct device *d, uint8_t character, bool *unknown);
/** The time asked for by host_timer() has come. */
void device_timer(struct device *d);

#endif
