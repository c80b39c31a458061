/* The device's parts, as they see each other. Each function is in the file of its prefix. */
#ifndef PROTEOS_E1000_PARTS_H
#define PROTEOS_E1000_PARTS_H

#include <string.h>

#include "device.h"

/* registers.c: the shared register space. */
static inline uint32_t reg_load(const struct device *d, uint32_t reg) {
  return __atomic_load_n(&d->bar[reg / 4], __ATOMIC_ACQUIRE);
}
static inline void reg_store(struct device *d, uint32_t reg, uint32_t value) {
  __atomic_store_n(&d->bar[reg / 4], value, __ATOMIC_RELEASE);
}

/* interrupt.c */
void interrupt_reset(struct device *d);
void interrupt_raise(struct device *d, uint32_t causes);
uint32_t interrupt_read_cause(struct device *d);
void interrupt_clear_cause(struct device *d, uint32_t causes);
void interrupt_mask(struct device *d, uint32_t set, uint32_t clear);
/** Raises RXT0 or TXDW, after the delays that the driver set. */
void interrupt_received(struct device *d);
void interrupt_transmitted(struct device *d, bool delayed);
void interrupt_timer(struct device *d);
/** Asks for device_timer() at `at_us` or earlier. */
void timer_want(struct device *d, uint64_t at_us);

/* eeprom.c */
void eeprom_init(struct device *d, const uint8_t mac[6]);
void eeprom_reset(struct device *d);
/** EERD: reads the word that was asked for, if one was. */
void eeprom_look(struct device *d);
void eeprom_write_lines(struct device *d, uint32_t eecd);

/* phy.c */
void phy_reset(struct device *d);
/** MDIC: does the access that was asked for, if one was. */
void phy_look(struct device *d);

/* link.c */
void link_update(struct device *d);

/* filter.c: which frames are for us (13.4.22, 13.5). */
enum filter_result { FILTER_NO, FILTER_EXACT, FILTER_INEXACT };
enum filter_result filter_match(const struct device *d, uint32_t rctl, const uint8_t *frame);

/* statistics.c */
void statistics_reset(struct device *d);
void statistics_count(struct device *d, uint32_t reg);
void statistics_received(struct device *d, const uint8_t *frame, uint32_t bytes);
void statistics_transmitted(struct device *d, const uint8_t *destination, uint32_t bytes);
uint32_t statistics_read(struct device *d, uint32_t reg);

/* ring.c: a descriptor ring as it is configured now. */
struct ring {
  void *desc;
  uint32_t count, head, tail;
};
/** @param base  E1000_RDBAL or E1000_TDBAL
 *  @return false when its address, length, head or tail makes no sense; nothing may then be used */
bool ring_open(const struct device *d, uint32_t base, struct ring *r);
/** Shows the new head; the shared register is the only copy. */
void ring_show_head(struct device *d, uint32_t base, const struct ring *r);
/** Copies a descriptor, once: the driver may change it at any time. */
static inline void ring_load(const void *slot, void *copy) {
  uint64_t words[2];
  for (int i = 0; i < 2; i++)
    words[i] = __atomic_load_n((const uint64_t *)slot + i, __ATOMIC_ACQUIRE);
  memcpy(copy, words, sizeof(words));
}
/** Descriptors that the device may use. */
static inline uint32_t ring_owned(const struct ring *r) {
  return (r->tail + r->count - r->head) % r->count;
}

/* receive.c */
bool receive_has_room(const struct device *d);
void receive_frame(struct device *d, const uint8_t *frame, uint32_t bytes);
/** Ends a turn: raises the interrupt if anything was received in it. */
void receive_done(struct device *d);

/* transmit.c */
void transmit(struct device *d);

/** Logs what the driver did wrong, once a reset. */
void device_complain(struct device *d, const char *what);

#endif
