/* Sending: from the server's queue to the transmit ring and back (3.3, 3.4). Descriptors point
 * straight at the server's buffers. */
#include <string.h>

#include "driver.h"

static struct e1000_tx_desc *descriptors(void) {
  return hw_dma(&driver.hw, driver.tx.address, RING_DESCRIPTORS * sizeof(struct e1000_tx_desc));
}

void tx_reset(void) {
  driver.tx.next = driver.tx.clean = 0;
  memset(descriptors(), 0, RING_DESCRIPTORS * sizeof(struct e1000_tx_desc));
}

static bool give_back(const struct tx_slot *slot) {
  return dq_push(driver.server->tx_done,
                 (struct dq_desc){slot->offset, slot->length, slot->cookie});
}

void tx_reclaim(struct turn *t) {
  struct e1000_tx_desc *desc = descriptors();
  struct hw_ring *ring = &driver.tx;
  while (ring->clean != ring->next) {
    if (!(__atomic_load_n(&desc[ring->clean].status, __ATOMIC_ACQUIRE) & E1000_TXD_DD)) return;
    if (!give_back(&driver.tx_slots[ring->clean])) {
      dq_want_room(driver.server->tx_done);
      return;
    }
    t->tx_returned++;
    ring->clean = ring_after(ring->clean);
  }
}

void tx_reclaim_lost(void) {
  for (struct hw_ring *ring = &driver.tx; ring->clean != ring->next;
       ring->clean = ring_after(ring->clean))
    give_back(&driver.tx_slots[ring->clean]);
}

static void fill(struct e1000_tx_desc *desc, uint32_t offset, uint32_t length) {
  *desc = (struct e1000_tx_desc){
      .address = dma_address(DMA_FRAMES, offset),
      .length = length,
      .command = E1000_TXD_EOP | E1000_TXD_IFCS | E1000_TXD_RS,
  };
}

/* The device goes on by itself while its ring is not empty; it looks at the tail again after it
 * has shown its last head. */
static void show_tail(uint32_t old_tail) {
  hw_write(&driver.hw, E1000_TDT, driver.tx.next);
  hw_fence();
  if (hw_read(&driver.hw, E1000_TDH) == old_tail) hw_kick(&driver.hw);
}

void tx_submit(struct turn *t) {
  struct e1000_tx_desc *desc = descriptors();
  struct hw_ring *ring = &driver.tx;
  struct dq_ring *done = driver.server->tx_done;
  struct dq_desc d;
  uint32_t old_tail = ring->next;
  while (!ring_full(ring) && !dq_full(done) && dq_pop(driver.server->tx, &d)) {
    t->tx_taken++;
    struct tx_slot *slot = &driver.tx_slots[ring->next];
    *slot = (struct tx_slot){.offset = d.offset, .length = d.length, .cookie = d.cookie};
    if (d.length < FRAME_MIN || d.length > FRAME_MAX || !buffer_is_valid(d.offset, d.length)) {
      driver.counters.bad_requests++;
      give_back(slot);
      t->tx_returned++;
      continue;
    }
    fill(&desc[ring->next], d.offset, d.length);
    ring->next = ring_after(ring->next);
    t->tx_sent++;
  }
  if (ring->next != old_tail) show_tail(old_tail);
}
