/* The register space: what a read or a write does. */
#include <string.h>

#include "host.h"
#include "parts.h"

/* Values after reset (13.4, 13.5): all others are 0. */
static void reset_registers(struct device *d) {
  memset(d->bar, 0, E1000_BAR_BYTES);
  reg_store(d, E1000_CTRL, E1000_CTRL_FD | E1000_CTRL_ASDE | E1000_CTRL_SPEED_1000);
  reg_store(d, E1000_STATUS, E1000_STATUS_FD | E1000_STATUS_SPEED_1000);
  reg_store(d, E1000_MDIC, E1000_MDIC_READY);
  const uint16_t *mac = d->eeprom; /* words 0 to 2 */
  reg_store(d, E1000_RAL, mac[0] | (uint32_t)mac[1] << 16);
  reg_store(d, E1000_RAH, mac[2] | E1000_RAH_AV);
}

static void reset(struct device *d) {
  d->rx_taken = 0;
  d->complained = d->link = false;
  reset_registers(d);
  interrupt_reset(d);
  eeprom_reset(d);
  phy_reset(d);
  statistics_reset(d);
}

void device_init(struct device *d, uint32_t *bar, const struct dma_window *windows,
                 const uint8_t mac[6]) {
  d->bar = bar;
  memcpy(d->windows, windows, sizeof(d->windows));
  eeprom_init(d, mac);
  reset(d);
}

void device_complain(struct device *d, const char *what) {
  if (d->complained) return;
  d->complained = true;
  host_complain(what);
}

/* Commands, which a posted write may have given. */
static void look_at_commands(struct device *d) {
  if (reg_load(d, E1000_CTRL) & E1000_CTRL_RST) reset(d);
  if (reg_load(d, E1000_CTRL) & E1000_CTRL_PHY_RST) {
    reg_store(d, E1000_CTRL, reg_load(d, E1000_CTRL) & ~E1000_CTRL_PHY_RST);
    phy_reset(d);
  }
  eeprom_look(d);
  phy_look(d);
  link_update(d);
}

void device_look(struct device *d) {
  look_at_commands(d);
  transmit(d);
  if (wire_has_frame(&d->wire)) device_wire_readable(d);
  link_update(d);
}

static bool is_statistic(uint32_t reg) {
  return reg >= E1000_STATISTICS && reg < E1000_STATISTICS_END;
}

uint32_t device_read(struct device *d, uint32_t reg) {
  if (reg % 4 || reg >= E1000_BAR_BYTES) return UINT32_MAX; /* as a PCI master abort */
  if (is_statistic(reg)) return statistics_read(d, reg);
  switch (reg) {
  case E1000_ICR:
    return interrupt_read_cause(d);
  case E1000_ICS:
  case E1000_IMC:
    return 0; /* write-only */
  default:
    return reg_load(d, reg);
  }
}

void device_write(struct device *d, uint32_t reg, uint32_t value) {
  if (reg % 4 || reg >= E1000_BAR_BYTES || is_statistic(reg)) return;
  switch (reg) {
  case E1000_STATUS:
    return;
  case E1000_EECD:
    eeprom_write_lines(d, value);
    return;
  case E1000_ICR:
    interrupt_clear_cause(d, value);
    return;
  case E1000_ICS:
    interrupt_raise(d, value);
    return;
  case E1000_IMS:
    interrupt_mask(d, value, 0);
    return;
  case E1000_IMC:
    interrupt_mask(d, 0, value);
    return;
  default:
    reg_store(d, reg, value);
    device_look(d);
    return;
  }
}

void device_wire_writable(struct device *d) {
  transmit(d);
  link_update(d);
}

void device_wire_readable(struct device *d) {
  const uint8_t *frame;
  uint32_t bytes;
  wire_begin(&d->wire);
  while (receive_has_room(d) && (frame = wire_next(&d->wire, &bytes)))
    receive_frame(d, frame, bytes);
  receive_done(d);
  link_update(d);
}

void device_timer(struct device *d) {
  interrupt_timer(d);
  transmit(d);
}

bool device_wants_read(const struct device *d) {
  /* The driver rings no bell when it sees by the head that there was room: look after showing it.
   */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return !d->wire.closed && receive_has_room(d);
}

bool device_wants_write(const struct device *d) {
  return !d->wire.closed && d->wire.blocked;
}
