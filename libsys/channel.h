/* The channel to busd: operations are batched until one that waits closes the packet. */
#ifndef LIBSYS_CHANNEL_H
#define LIBSYS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "bus/abi.h"

#define CHANNEL_FDS_MAX 64

/* One delivery of busd, and where its payload goes. */
struct channel_in {
  struct bus_delivery d;
  void *buf; /* caller's; d.m.payload bytes were sent, at most `cap` of them are here */
  size_t cap;
  int fds[CHANNEL_FDS_MAX]; /* owned by the receiver */
  unsigned nfds;
};

/** Adds a non-blocking operation to the batch, which goes out with the next exchange at the
 * latest. A large payload goes out at once instead of being copied. */
void channel_post(uint16_t code, endpoint_t dst, uint64_t arg, const msg_t *m, const void *out,
                  size_t out_len);

/** Sends the batch now. */
void channel_flush(void);

/** Sends the batch and `op`, an operation that waits, without waiting for its delivery.
 * @param fd  descriptor to attach, or -1 */
void channel_send(const struct bus_op *op, const void *out, int fd);

/** Waits for the delivery. @param wait  false: only look
 * @return false when there is none yet */
bool channel_get(struct channel_in *in, bool wait);

/** Both at once. */
void channel_exchange(const struct bus_op *op, const void *out, int fd, struct channel_in *in);

/** Closes descriptors that came with a delivery and that nobody took. */
void channel_drop_fds(struct channel_in *in);

#endif
