/* The device: an Intel 82540EM, its state and what can be done to it.
 *
 * The driver and the device share the register space. Registers without effects lie there and are
 * read whenever they matter; those with effects are kept here, and the shared copy only shows them.
 * Nothing in shared memory is trusted: every value is read once, checked, then used. */
#ifndef PROTEOS_E1000_DEVICE_H
#define PROTEOS_E1000_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers-sim/82540em.h"
#include "drivers-sim/dma.h"
#include "wire.h"

/* The Microwire EEPROM as seen from its four lines (5.4). */
struct microwire {
  uint8_t lines;    /* EECD's SK, CS, DI as last written */
  uint8_t bits;     /* shifted in so far */
  uint32_t shift;   /* what came in */
  uint32_t out;     /* word being shifted out, its next bit at the top (bit 16 is a dummy 0) */
  uint8_t out_bits; /* left to shift out */
  bool reading;     /* the output line shows `out` */
};

struct phy {
  uint16_t control, advertise, control_1000t, specific_control;
};

/* A delayed interrupt cause: fires `delay` after the last event, at most `latest` after the first.
 */
struct delay {
  uint64_t at_us;     /* 0: not running */
  uint64_t latest_us; /* 0: no limit */
};

struct interrupts {
  uint32_t cause, mask;
  bool asserted;    /* raised, and its cause not read since */
  uint64_t next_us; /* moderation: not before */
  struct delay rx, tx;
  uint64_t timer_us; /* what host_timer() was last asked for; 0: nothing */
};

enum { STATISTICS = (E1000_STATISTICS_END - E1000_STATISTICS) / 4 };

struct device {
  uint32_t *bar;
  struct dma_window windows[DMA_WINDOWS];
  struct wire wire;
  uint16_t eeprom[E1000_EEPROM_WORDS];
  struct microwire microwire;
  struct phy phy;
  struct interrupts irq;
  uint32_t rx_taken; /* descriptors filled in this turn */
  bool complained;   /* once a reset, so that a broken driver does not fill the log */
  bool link;
  uint32_t statistics[STATISTICS];
};

/** Powers the device on.
 * @param bar, windows  shared memory; borrowed. The caller plugs the wire in before (wire_open).
 * @param mac           its address, for the EEPROM */
void device_init(struct device *d, uint32_t *bar, const struct dma_window *windows,
                 const uint8_t mac[6]);

/** A register access that came as a message. Any offset is allowed. */
uint32_t device_read(struct device *d, uint32_t reg);
void device_write(struct device *d, uint32_t reg, uint32_t value);

/** The doorbell: looks at everything that the driver may have written, transmits, and takes frames
 * that wait here for receive descriptors. */
void device_look(struct device *d);
/** The wire is readable (or may be): receives what is there and fits, up to a bound. */
void device_wire_readable(struct device *d);
/** The wire is writable again. */
void device_wire_writable(struct device *d);
/** The time asked for by host_timer() has come. */
void device_timer(struct device *d);
/** Whether the wire's readability / writability matters now. */
bool device_wants_read(const struct device *d);
bool device_wants_write(const struct device *d);

#endif
