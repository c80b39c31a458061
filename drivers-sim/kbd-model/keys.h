/* The keyboard's keys. */
#ifndef PROTEOS_KBD_KEYS_H
#define PROTEOS_KBD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/** A key's code in set 2, without I8042_EXTENDED. @return 0: there is no such key */
uint8_t keys_set2(uint8_t key);
/** The code in set 1 of one in set 2, both without prefixes; others stay as they are. */
uint8_t keys_translate(uint8_t set2);

/** Which key gives a character, with the layout `us`.
 * @param shift, control  receive what else must be down
 * @return enum key; 0: none does */
uint8_t keys_for(uint8_t character, bool *shift, bool *control);

#endif
