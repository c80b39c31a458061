/* Receiving: the server's empty buffers to the receive ring, frames back (3.2). */
#include <string.h>

#include "driver.h"

/* With this few descriptors left, the device may have stopped and must be told of new ones. */
enum { STARVING = 4 };

static struct e1000_rx_desc *descriptors(void) {
  return hw_dma(&driver.hw, driver.rx.address, RING_DESCRIPTORS * sizeof(struct e1000_rx_desc));
}

void rx_reset(void) {
  driver.rx.next = driver.rx.clean = 0;
  memset(descriptors(), 0, RING_DESCRIPTORS * sizeof(struct e1000_rx_desc));
}

static void post(struct e1000_rx_desc *desc, const struct rx_slot *slot) {
  struct hw_ring *ring = &driver.rx;
  driver.rx_slots[ring->next] = *slot;
  desc[ring->next] = (struct e1000_rx_desc){.address = dma_address(DMA_FRAMES, slot->offset)};
  ring->next = ring_after(ring->next);
}

static void show_tail(uint32_t old_tail) {
  if (driver.rx.next == old_tail) return;
  hw_write(&driver.hw, E1000_RDT, driver.rx.next);
  hw_fence();
  uint32_t left = (old_tail - hw_read(&driver.hw, E1000_RDH)) % RING_DESCRIPTORS;
  if (left < STARVING) hw_kick(&driver.hw);
}

static bool is_good(const struct e1000_rx_desc *d) {
  return d->status & E1000_RXD_EOP && !d->errors && d->length <= NIC_BUFFER_BYTES;
}

void rx_harvest(struct turn *t) {
  struct e1000_rx_desc *desc = descriptors();
  struct hw_ring *ring = &driver.rx;
  struct dq_ring *queue = driver.server->rx;
  uint32_t old_tail = ring->next;
  while (ring->clean != ring->next) {
    if (!(__atomic_load_n(&desc[ring->clean].status, __ATOMIC_ACQUIRE) & E1000_RXD_DD)) break;
    if (dq_full(queue) && !dq_want_room(queue)) break;
    struct e1000_rx_desc done = desc[ring->clean];
    struct rx_slot slot = driver.rx_slots[ring->clean];
    ring->clean = ring_after(ring->clean);
    if (!is_good(&done)) {
      driver.counters.bad_frames++;
      post(desc, &slot);
      continue;
    }
    dq_push(queue, (struct dq_desc){slot.offset, done.length, slot.cookie});
    t->rx_received++;
  }
  show_tail(old_tail);
}

void rx_refill(struct turn *t) {
  struct e1000_rx_desc *desc = descriptors();
  struct dq_desc d;
  uint32_t old_tail = driver.rx.next;
  while (!ring_full(&driver.rx) && dq_pop(driver.server->rx_free, &d)) {
    t->rx_taken++;
    if (buffer_is_valid(d.offset, NIC_BUFFER_BYTES))
      post(desc, &(struct rx_slot){.offset = d.offset, .cookie = d.cookie});
    else
      driver.counters.bad_requests++;
  }
  show_tail(old_tail);
}

void rx_repost(void) {
  struct rx_slot had[RING_DESCRIPTORS];
  struct hw_ring *ring = &driver.rx;
  unsigned n = 0;
  for (uint32_t i = ring->clean; i != ring->next; i = ring_after(i))
    had[n++] = driver.rx_slots[i];
  rx_reset();
  for (unsigned i = 0; i < n; i++)
    post(descriptors(), &had[i]);
  show_tail(0);
}
