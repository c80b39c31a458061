/* The link to the network interface driver: its queues, and lwIP's netif on top of them.
 *
 * Frames are copied between lwIP's buffers and the shared ones. When no buffer for sending is free
 * lwIP is told so and keeps the segment; nic_take_sent() says when it is worth trying again. */
#ifndef NET_NIC_H
#define NET_NIC_H

#include <stdbool.h>
#include <stdint.h>

struct nic_config {
  char nic[32];     /* the frames lie in region `<nic>.frames` */
  char driver[32];  /* the driver's component name */
  uint32_t address; /* IPv4, network byte order */
  uint32_t netmask;
  uint32_t gateway; /* 0 = none */
};

/** Writes handed to the driver and not yet completed. */
extern int num_pending_writes;

/** Finds the driver, maps the queues, adds the interface to lwIP.
 * @return 0, -ENOENT when the manifest lacks the driver's region or edge, or -EIO. A driver that is
 * down is no error: nic_start() follows when it comes. */
int nic_init(const struct nic_config *config);
/** The driver's endpoint. */
int nic_driver(void);
/** (Re)starts the driver's queues: at the start and after the driver's restart. What was in them is
 * lost; TCP sends it again. */
int nic_start(void);
/** The driver has died: the link is down until nic_start(). */
void nic_lost(void);
/** Asks the driver whether the link is up. */
void nic_check_link(void);

/** Takes back buffers that were sent.
 * @return true when sending may be tried again after having failed. */
bool nic_take_sent(void);
/** Whether a frame was refused for lack of a buffer, and none has come back since. */
bool nic_is_full(void);
/** Gives received frames to lwIP, at most a ring's worth.
 * @return true when frames are left over. */
bool nic_take_received(void);
/** Tells the driver about what was put in its queues since the last time. */
void nic_flush(void);

#endif
