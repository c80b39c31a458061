/* The controller: bringing it up (14.3 to 14.5), link, multicast table, interrupts. */
#include <errno.h>

#include "driver.h"

enum {
  RX_RING_OFFSET = 0, /* in the window DMA_RINGS */
  TX_RING_OFFSET = RING_DESCRIPTORS * 16,
  /* Interrupts at most this often: one turn then moves what came in that time. In 256 ns. */
  INTERRUPT_INTERVAL = 30000 / 256,
  CAUSES = E1000_ICR_TXDW | E1000_ICR_RXT0 | E1000_ICR_RXO | E1000_ICR_LSC,
  RECEIVE = E1000_RCTL_BAM | E1000_RCTL_SECRC, /* buffers of 2048 bytes */
  TRANSMIT = E1000_TCTL_PSP | 0x10 << E1000_TCTL_CT_SHIFT | 0x40 << E1000_TCTL_COLD_SHIFT,
};
_Static_assert(NIC_BUFFER_BYTES == 2048, "RCTL.BSIZE says so");

static void write_address(const uint8_t mac[6]) {
  hw_write(&driver.hw, E1000_RAL, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
  hw_write(&driver.hw, E1000_RAH, mac[4] | mac[5] << 8 | E1000_RAH_AV);
}

int card_init(void) {
  struct hw *hw = &driver.hw;
  driver.device_ready = false;
  int r = hw_write_effect(hw, E1000_IMC, UINT32_MAX);
  if (r == 0) r = hw_write_effect(hw, E1000_CTRL, E1000_CTRL_RST);
  if (r == 0) r = hw_write_effect(hw, E1000_IMC, UINT32_MAX);
  if (r == 0) r = eeprom_read_mac(hw, driver.mac);
  if (r < 0) return r;
  write_address(driver.mac);
  card_write_multicast();
  hw_write(hw, E1000_ITR, INTERRUPT_INTERVAL);
  hw_write(hw, E1000_RDTR, 0);
  hw_write(hw, E1000_TIDV, 0);
  hw_write(hw, E1000_TIPG, 10 | 8 << 10 | 6 << 20); /* 13.4.34: copper */
  r = hw_write_effect(hw, E1000_CTRL, E1000_CTRL_SLU | E1000_CTRL_ASDE | E1000_CTRL_FD);
  if (r == 0) r = hw_write_effect(hw, E1000_IMS, CAUSES);
  if (r < 0) return r;
  driver.link = hw_read(hw, E1000_STATUS) & E1000_STATUS_LU;
  driver.device_ready = true;
  return 0;
}

/* Both rings' registers have the same order; `base` is RDBAL or TDBAL. */
static void write_ring(struct hw_ring *ring, uint32_t base, uint32_t offset) {
  ring->address = dma_address(DMA_RINGS, offset);
  hw_write(&driver.hw, base, (uint32_t)ring->address);
  hw_write(&driver.hw, base + (E1000_RDBAH - E1000_RDBAL), ring->address >> 32);
  hw_write(&driver.hw, base + (E1000_RDLEN - E1000_RDBAL), RING_DESCRIPTORS * 16);
  hw_write(&driver.hw, base + (E1000_RDH - E1000_RDBAL), 0);
  hw_write(&driver.hw, base + (E1000_RDT - E1000_RDBAL), 0);
}

int card_start(bool again) {
  struct hw *hw = &driver.hw;
  write_ring(&driver.rx, E1000_RDBAL, RX_RING_OFFSET);
  write_ring(&driver.tx, E1000_TDBAL, TX_RING_OFFSET);
  if (again) {
    tx_reclaim_lost();
    rx_repost();
  } else {
    rx_reset();
  }
  tx_reset();
  int r = hw_write_effect(hw, E1000_RCTL, RECEIVE | E1000_RCTL_EN);
  if (r == 0) r = hw_write_effect(hw, E1000_TCTL, TRANSMIT | E1000_TCTL_EN);
  return r;
}

int card_stop(void) {
  int r = hw_write_effect(&driver.hw, E1000_RCTL, RECEIVE);
  return r == 0 ? hw_write_effect(&driver.hw, E1000_TCTL, TRANSMIT) : r;
}

bool card_interrupt_cause(uint32_t *cause) {
  int r = hw_read_effect(&driver.hw, E1000_ICR, cause);
  if (r == -SYS_EDEADSRCDST || r == -SYS_ERESTARTED) card_lost();
  return r == 0;
}

void card_lost(void) {
  driver.device_ready = driver.link = false;
}

void card_update_link(void) {
  bool link = hw_read(&driver.hw, E1000_STATUS) & E1000_STATUS_LU;
  if (link == driver.link) return;
  driver.link = link;
  server_link_changed();
}

void card_write_multicast(void) {
  uint32_t table[E1000_MTA_WORDS] = {0};
  for (uint32_t i = 0; i < driver.ngroups; i++) {
    const uint8_t *mac = driver.groups[i].mac;
    uint32_t hash = (mac[4] | mac[5] << 8) >> 4 & 0xFFF; /* RCTL.MO is 0 */
    table[hash >> 5] |= 1u << (hash & 31);
  }
  for (uint32_t i = 0; i < E1000_MTA_WORDS; i++)
    hw_write(&driver.hw, E1000_MTA + 4 * i, table[i]);
}
