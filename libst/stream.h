/* Packets with descriptors over the state channel. Each ends in a checksum of its bytes and of the
 * number of its descriptors. */
#ifndef LIBST_STREAM_H
#define LIBST_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum {
  STREAM_FORMAT = 2,
  STREAM_PACKET_MAX = 160 * 1024, /* below the default socket buffer */
  STREAM_FDS_MAX = 253,           /* the kernel's limit for one packet */
  STREAM_BATCH = 64,              /* program descriptors in one packet: a new version needs as many
                                     free numbers at commit */
};

/** Sends a packet. @return 0, -EPIPE when the peer is gone, -EMSGSIZE, or another negative errno */
int stream_send(int channel, const void *data, size_t bytes, const int *fds, size_t fd_count);
/** Waits for a packet. Its descriptors are close-on-exec.
 * @param fd_count  in: room in fds; out: descriptors received
 * @return its bytes; -EPIPE when the peer is gone; -EPROTO when it or its descriptors were cut or
 * altered */
ssize_t stream_receive(int channel, void *data, size_t cap, int *fds, size_t *fd_count);
/** Looks at the next packet that was not looked at yet, and leaves it where it is.
 * @param fd_count  the descriptors that must come with it
 * @return its bytes, or an error as of stream_receive(); -EPROTO also when it has not as many */
ssize_t stream_peek(int channel, void *data, size_t cap, size_t fd_count);

#endif
