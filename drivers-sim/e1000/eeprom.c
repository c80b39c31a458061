/* The controller's EEPROM, read by word through EERD (13.4.4). */
#include <errno.h>

#include "driver.h"

enum { POLLS_MAX = 1000 };

static int read_word(struct hw *hw, uint32_t word, uint16_t *value) {
  int r = hw_write_effect(hw, E1000_EERD, word << E1000_EERD_ADDR_SHIFT | E1000_EERD_START);
  if (r < 0) return r;
  for (int i = 0; i < POLLS_MAX; i++) {
    uint32_t eerd = hw_read(hw, E1000_EERD);
    if (!(eerd & E1000_EERD_DONE)) continue;
    *value = eerd >> E1000_EERD_DATA_SHIFT;
    return 0;
  }
  return -EIO;
}

int eeprom_read_mac(struct hw *hw, uint8_t mac[6]) {
  uint16_t sum = 0;
  for (uint32_t i = 0; i < E1000_EEPROM_WORDS; i++) {
    uint16_t word;
    int r = read_word(hw, i, &word);
    if (r < 0) return r;
    sum += word;
    if (i < 3) mac[2 * i] = word & 0xFF, mac[2 * i + 1] = word >> 8;
  }
  return sum == E1000_EEPROM_SUM ? 0 : -EIO;
}
