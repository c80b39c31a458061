/* The driver's state in its next version. What differs from `v1/state.h`: slots know when they were
 * filled and are in another order, rings know their size, a server's record counts its wake-ups,
 * the multicast table has grown, spurious interrupts are no longer counted, and a histogram of the
 * frames moved in a turn is kept. */
#ifndef PROTEOS_E1000_STATE_H
#define PROTEOS_E1000_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers-sim/hw.h"
#include "libsys/if/nic.h"

enum { MULTICAST_GROUPS = 64 };

struct tx_slot {
  uint64_t cookie;
  uint64_t filled_us;
  uint32_t length;
  uint32_t offset;
};

struct rx_slot {
  uint32_t offset;
  uint64_t cookie;
  uint64_t filled_us;
};

struct hw_ring {
  dma_addr_t address;
  uint32_t clean;
  uint32_t next;
  uint32_t most; /* descriptors that the device had at once */
};

struct server {
  uint64_t wakeups;
  struct dq_ring *rx, *rx_free, *tx, *tx_done;
  endpoint_t endpoint;
};

struct group {
  uint16_t joins;
  uint8_t mac[6];
};

struct counters {
  uint64_t interrupts;
  uint64_t tx_frames, rx_frames;
  uint64_t bad_requests;
  uint64_t bad_frames;
};

struct driver {
  struct counters counters;
  struct server *server;
  struct rx_slot *rx_slots;
  struct tx_slot *tx_slots;
  struct hw_ring rx, tx;
  uint8_t mac[6];
  bool link;
  bool device_ready;
  struct hw hw;
  uint32_t ngroups;
  struct group groups[MULTICAST_GROUPS];
};

extern struct driver driver;

enum { TURN_CLASSES = 9 };
/* Turns by the frames they moved: none, 1, 2-3, 4-7, ... 128 and more. */
extern uint64_t turn_histogram[TURN_CLASSES];

void note_turn(unsigned sent, unsigned received);
void note_spurious(void);
void log_counters(void);

#endif
