/* Between a network server and a network interface driver.
 *
 * Frames lie in the region `<nic>.frames`, which the device, the driver and the server share: the
 * device reads and writes them in place. Four rings are at its start; buffers of
 * NIC_BUFFER_BYTES follow at NIC_BUFFERS_OFFSET, the first NIC_TX_BUFFERS of them for sending, the
 * rest for receiving. The driver initialises the rings when it starts fresh or restarts; both sides
 * go on with them as they are after an update. */
#ifndef PROTEOS_IF_NIC_H
#define PROTEOS_IF_NIC_H

#include "libsys/dataqueue.h"
#include "libsys/interface.h"

#define NIC_BUFFER_BYTES 2048u
#define NIC_TX_BUFFERS   256u
#define NIC_RX_BUFFERS   256u
#define NIC_QUEUE_SLOTS  256u

/* Where the rings lie in the region; nic_ring() gives one. */
enum nic_ring_index {
  NIC_RING_TX,      /* server to driver: frames to send */
  NIC_RING_TX_DONE, /* driver to server: their buffers back */
  NIC_RING_RX,      /* driver to server: frames received */
  NIC_RING_RX_FREE, /* server to driver: empty buffers to receive into */
  NIC_RINGS
};

#define NIC_RING_BYTES 8192u
_Static_assert(DQ_BYTES(NIC_QUEUE_SLOTS) <= NIC_RING_BYTES, "a ring does not fit");

/** A ring of the region `frames` (sys_region("<nic>.frames")). */
static inline struct dq_ring *nic_ring(void *frames, enum nic_ring_index which) {
  return (struct dq_ring *)((char *)frames + which * NIC_RING_BYTES);
}

#define NIC_BUFFERS_OFFSET 32768u
_Static_assert(NIC_RINGS *NIC_RING_BYTES <= NIC_BUFFERS_OFFSET, "rings overlap buffers");
#define NIC_FRAMES_BYTES (NIC_BUFFERS_OFFSET + (NIC_TX_BUFFERS + NIC_RX_BUFFERS) * NIC_BUFFER_BYTES)

/* Notification bits. */
enum nic_bit {
  NIC_TO_DRIVER = 1u << 0,     /* server to driver: tx or rx_free has changed */
  NIC_TO_SERVER_RX = 1u << 0,  /* driver to server: rx has frames */
  NIC_TO_SERVER_TX = 1u << 1,  /* driver to server: tx_done has buffers */
  NIC_TO_SERVER_LINK = 1u << 2 /* driver to server: link state changed; ask NIC_INFO */
};

/* NIC_START: the server is ready; the driver resets the rings' contents (all buffers belong to the
 * server again, except those it then gets through rx_free) and begins to receive.
 * NIC_INFO: mac is the address's six bytes, first byte lowest; link is 1 when up. */
#define NIC_START_FIELDS(F)
#define NIC_START_REPLY(F) F(u64, mac) F(u32, mtu) F(u32, link)
#define NIC_INFO_FIELDS(F)
#define NIC_INFO_REPLY(F)       F(u64, mac) F(u32, mtu) F(u32, link) F(u64, rx_frames) F(u64, tx_frames)
#define NIC_MULTICAST_FIELDS(F) F(u64, mac) F(u32, join)
#define NIC_MESSAGES(M)                                                                            \
  M(NIC_START, 0x300, nic_start, NIC_START_FIELDS, NIC_START_REPLY)                                \
  M(NIC_INFO, 0x301, nic_info, NIC_INFO_FIELDS, NIC_INFO_REPLY)                                    \
  M(NIC_MULTICAST, 0x302, nic_multicast, NIC_MULTICAST_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(nic, NIC_MESSAGES)

#endif
