/* Packets with descriptors over a SOCK_SEQPACKET socket. */
#ifndef PROTEOS_FDPASS_H
#define PROTEOS_FDPASS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define FDPASS_MAX 64

/** Sends one packet, without waiting. @return bytes sent or a negative errno */
ssize_t fdpass_send(int sock, const struct iovec *iov, unsigned niov, const int *fds,
                    unsigned nfds);

/** Receives one packet, without waiting.
 * @param fds   receives descriptors, close-on-exec, owned by the caller
 * @param nfds  in: room for how many; out: how many came. More than that, or a packet longer than
 *              `cap`, is -EMSGSIZE and none is kept.
 * @return bytes, 0 when the peer has closed, or a negative errno */
ssize_t fdpass_receive(int sock, void *buf, size_t cap, int *fds, unsigned *nfds);

void fdpass_close(int *fds, unsigned n);

#endif
