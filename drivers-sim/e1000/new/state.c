#include "state.h"

#include <inttypes.h>
#include <stdio.h>

#include "libsys/sys.h"

struct driver driver;
uint64_t turn_histogram[TURN_CLASSES];

static unsigned turn_class(unsigned frames) {
  unsigned class = 0;
  for (; frames > 0 && class < TURN_CLASSES - 1; frames /= 2)
    class ++;
  return class;
}

static void note_most(struct hw_ring *ring) {
  uint32_t now = (ring->next - ring->clean) % NIC_QUEUE_SLOTS;
  if (now > ring->most) ring->most = now;
}

void note_turn(unsigned sent, unsigned received) {
  driver.counters.tx_frames += sent;
  driver.counters.rx_frames += received;
  if (driver.server) driver.server->wakeups++;
  turn_histogram[turn_class(sent + received)]++;
  note_most(&driver.tx);
  note_most(&driver.rx);
}

void note_spurious(void) {}

void log_counters(void) {
  char text[24 * TURN_CLASSES] = "";
  size_t used = 0;
  for (unsigned i = 0; i < TURN_CLASSES; i++)
    used += snprintf(text + used, sizeof(text) - used, " %" PRIu64, turn_histogram[i]);
  sys_log("%" PRIu64 " frames sent, %" PRIu64 " received, %" PRIu64 " interrupts; turns by frames "
          "moved:%s; most descriptors in use: %u to send, %u to receive",
          driver.counters.tx_frames, driver.counters.rx_frames, driver.counters.interrupts, text,
          driver.tx.most, driver.rx.most);
}
