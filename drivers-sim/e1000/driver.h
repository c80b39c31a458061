/* The driver's parts, as they see each other. */
#ifndef PROTEOS_E1000_DRIVER_H
#define PROTEOS_E1000_DRIVER_H

#include "drivers-sim/82540em.h"
#include "state.h"

/* Descriptors of each hardware ring; as many as the server has buffers for it. */
enum { RING_DESCRIPTORS = 256, FRAME_MIN = 14, FRAME_MAX = 1514, MTU = 1500 };
_Static_assert(RING_DESCRIPTORS == NIC_QUEUE_SLOTS, "a queue's whole content fits in a ring");

static inline uint32_t ring_after(uint32_t i) {
  return (i + 1) % RING_DESCRIPTORS;
}
static inline bool ring_full(const struct hw_ring *r) {
  return ring_after(r->next) == r->clean;
}
/** Whether a buffer of the server's lies where buffers may. */
bool buffer_is_valid(uint32_t offset, uint32_t bytes);

/* card.c: the controller as a whole. */
/** Resets it, reads its address, and makes it ready, not yet moving frames.
 * @return 0, the bus's error, -EIO when its EEPROM can't be read or its checksum is wrong */
int card_init(void);
/** Begins to move frames.
 * @param again  the device forgot its rings: hand it what it had, and give up what it was to send;
 *               else the rings begin empty */
int card_start(bool again);
/** Stops; the device touches no buffer after the return. */
int card_stop(void);
/** Reads and clears the interrupt cause. @return false when the device did not answer. */
bool card_interrupt_cause(uint32_t *cause);
/** The device has died; its restart will be announced. */
void card_lost(void);
void card_update_link(void);
/** Writes the multicast table for `driver.groups`. */
void card_write_multicast(void);

/* eeprom.c */
/** @return 0, -EIO, or the bus's error */
int eeprom_read_mac(struct hw *hw, uint8_t mac[6]);

/* What one turn of the event loop has moved: frames and buffers of each of the server's queues. */
struct turn {
  unsigned tx_taken, tx_sent, tx_returned;
  unsigned rx_taken, rx_received;
};

/* tx.c */
void tx_reset(void);
/** Gives the server the buffers back that the device is done with. */
void tx_reclaim(struct turn *t);
/** Gives the server back all that the device had: the device has lost them. */
void tx_reclaim_lost(void);
/** Hands the server's frames to the device. */
void tx_submit(struct turn *t);

/* rx.c */
void rx_reset(void);
/** Hands received frames to the server. */
void rx_harvest(struct turn *t);
/** Hands the server's empty buffers to the device. */
void rx_refill(struct turn *t);
/** Hands the device again all buffers it had, after a reset. */
void rx_repost(void);

/* server.c: towards the network server. */
void server_started(endpoint_t endpoint);
void server_gone(void);
/** Forms empty queues in the frames region. */
void server_queues_init(void);
/** Moves everything that can move, both ways, and notifies the server of what concerns it. */
void server_pump(void);
/** Tells the server that the link has changed. */
void server_link_changed(void);
/** Tells the server to look at everything: the device was lost and is back. */
void server_look_again(void);
int server_multicast(uint64_t mac, bool join);

/* update.c: a new version's part before commit. */
int driver_live_update(void);

#endif
