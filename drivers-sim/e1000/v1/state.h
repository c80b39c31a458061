/* The driver's state: what an update carries over. `new/state.h` is the next version's. */
#ifndef PROTEOS_E1000_STATE_H
#define PROTEOS_E1000_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers-sim/hw.h"
#include "libsys/if/nic.h"

enum { MULTICAST_GROUPS = 16 };

/* A transmit buffer that the device has. */
struct tx_slot {
  uint32_t offset; /* in the frames region */
  uint32_t length;
  uint64_t cookie; /* the server's */
};

/* A receive buffer that the device has. */
struct rx_slot {
  uint64_t cookie;
  uint32_t offset;
};

/* A hardware ring: descriptors [clean, next) are the device's. */
struct hw_ring {
  uint32_t next;
  uint32_t clean;
  dma_addr_t address;
};

/* The server that receives our frames, and its queues in the frames region. */
struct server {
  endpoint_t endpoint;
  struct dq_ring *tx, *tx_done, *rx, *rx_free;
};

struct group {
  uint8_t mac[6];
  uint16_t joins; /* 0: unused */
};

struct counters {
  uint64_t rx_frames, tx_frames;
  uint64_t interrupts;
  uint32_t spurious;     /* interrupts without a cause */
  uint32_t bad_frames;   /* with an error, or longer than a buffer */
  uint32_t bad_requests; /* buffers of the server's that lie outside the region */
};

struct driver {
  struct hw hw;
  bool device_ready;
  bool link;
  uint8_t mac[6];
  struct hw_ring tx, rx;
  struct tx_slot *tx_slots; /* RING_DESCRIPTORS each */
  struct rx_slot *rx_slots;
  struct server *server; /* NULL: none has started us */
  struct counters counters;
  uint32_t ngroups;
  struct group groups[MULTICAST_GROUPS];
};

extern struct driver driver;

/** Notes how many frames one turn of the event loop moved. */
void note_turn(unsigned sent, unsigned received);
/** One more interrupt had no cause. */
void note_spurious(void);
/** Prints to the log what has been counted. */
void log_counters(void);

#endif
