/* The EEPROM: 64 words (5.6), read by word through EERD (13.4.4) or bit by bit through the
 * Microwire lines of EECD (5.4, 13.4.3). */
#include <string.h>

#include "parts.h"

enum { ADDRESS_BITS = 6, OPCODE_READ = 2, COMMAND_BITS = 1 + 2 + ADDRESS_BITS };

void eeprom_init(struct device *d, const uint8_t mac[6]) {
  static const struct {
    uint8_t word;
    uint16_t value;
  } fixed[] = {
      {0x0A, 0x4408}, /* initialisation control 1 */
      {0x0B, 0x001E}, /* subsystem */
      {0x0C, 0x8086}, /* subsystem vendor */
      {0x0D, 0x100E}, /* device: 82540EM */
      {0x0E, 0x8086}, /* vendor */
      {0x0F, 0x3040}, /* initialisation control 2 */
  };
  memset(d->eeprom, 0, sizeof(d->eeprom));
  for (int i = 0; i < 3; i++)
    d->eeprom[i] = mac[2 * i] | mac[2 * i + 1] << 8;
  for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
    d->eeprom[fixed[i].word] = fixed[i].value;
  uint16_t sum = 0;
  for (unsigned i = 0; i < E1000_EEPROM_CHECKSUM; i++)
    sum += d->eeprom[i];
  d->eeprom[E1000_EEPROM_CHECKSUM] = E1000_EEPROM_SUM - sum;
}

void eeprom_reset(struct device *d) {
  d->microwire = (struct microwire){0};
  reg_store(d, E1000_EECD, E1000_EECD_PRES | E1000_EECD_FWE | E1000_EECD_DO);
}

void eeprom_look(struct device *d) {
  uint32_t eerd = reg_load(d, E1000_EERD);
  if (!(eerd & E1000_EERD_START)) return;
  uint32_t word = eerd >> E1000_EERD_ADDR_SHIFT & 0xFF;
  uint32_t data = word < E1000_EEPROM_WORDS ? d->eeprom[word] : 0xFFFF;
  reg_store(d, E1000_EERD,
            data << E1000_EERD_DATA_SHIFT | word << E1000_EERD_ADDR_SHIFT | E1000_EERD_DONE);
}

/* A rising clock: a bit goes in, or the next one out. */
static void clock_bit(struct device *d, bool in) {
  struct microwire *m = &d->microwire;
  if (m->out_bits > 0) {
    m->out <<= 1;
    m->out_bits--;
    return;
  }
  m->reading = false;
  if (m->bits == 0 && !in) return; /* waiting for the start bit */
  m->shift = m->shift << 1 | in;
  if (++m->bits < COMMAND_BITS) return;
  if ((m->shift >> ADDRESS_BITS & 3) == OPCODE_READ) {
    m->out = d->eeprom[m->shift & (E1000_EEPROM_WORDS - 1)]; /* bit 16: the dummy 0 */
    m->out_bits = 16;
    m->reading = true;
  }
  m->bits = 0;
  m->shift = 0;
}

void eeprom_write_lines(struct device *d, uint32_t eecd) {
  struct microwire *m = &d->microwire;
  uint32_t lines = eecd & (E1000_EECD_SK | E1000_EECD_CS | E1000_EECD_DI);
  if (!(lines & E1000_EECD_CS)) {
    *m = (struct microwire){0};
  } else if (lines & E1000_EECD_SK && !(m->lines & E1000_EECD_SK)) {
    clock_bit(d, lines & E1000_EECD_DI);
  }
  m->lines = lines;
  /* Deselected or ready, the output line is high. */
  bool out = m->reading ? m->out >> 16 & 1 : true;
  uint32_t request = eecd & E1000_EECD_REQ;
  reg_store(d, E1000_EECD,
            lines | E1000_EECD_PRES | E1000_EECD_FWE | (out ? E1000_EECD_DO : 0) | request |
                (request ? E1000_EECD_GNT : 0));
}
