/* The wire: what the simulated card's socket is plugged into.
 *
 * Two kinds. A `stream` is a Unix stream socket on which every frame follows its length, 32 bits,
 * big-endian (as QEMU's `-netdev stream` and passt speak it). A `tap` is a Linux TAP device without
 * packet information: one frame a read or write. Frames carry no frame check sequence.
 *
 * Both are non-blocking and hold at most a bounded amount: a frame half sent, and what one read has
 * brought. The rest of the back-pressure is the peer's. */
#ifndef PROTEOS_E1000_WIRE_H
#define PROTEOS_E1000_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/** Longest frame that can be sent, in bytes. */
#define WIRE_SEND_MAX 16384u
/** Longest frame that a stream may announce; beyond it the peer is taken to be broken. */
#define WIRE_RECEIVE_MAX 65535u
/** Most frames, and parts of frames, of one wire_send(). */
#define WIRE_BATCH_FRAMES 64u
#define WIRE_BATCH_PARTS  256u

enum wire_kind { WIRE_NONE, WIRE_STREAM, WIRE_TAP };

struct wire {
  enum wire_kind kind;
  int fd;
  bool closed;     /* the peer is gone */
  bool blocked;    /* took less than it was given: wait until it is writable */
  unsigned budget; /* reads left in this turn */
  uint32_t in_begin, in_end;
  uint32_t out_begin, out_end;
  uint8_t in[2 * (WIRE_RECEIVE_MAX + 1)]; /* stream: received, not yet taken; tap: one frame */
  uint8_t out[WIRE_SEND_MAX + 4];         /* stream: rest of a frame that was sent in part */
};

struct wire_frame {
  const struct iovec *parts;
  uint32_t nparts;
  uint32_t bytes; /* sum of the parts, at most WIRE_SEND_MAX */
};

/** Plugs `fd` in; its kind follows from its type.
 * @return 0, -EBADF, or -EINVAL when it is neither a stream socket nor a character device */
int wire_open(struct wire *w, int fd);

/** Begins a turn: allows a bounded number of reads. */
void wire_begin(struct wire *w);
/** Takes the next frame.
 * @param bytes  its length
 * @return the frame, valid until the next call, or NULL: nothing there, the turn's reads are used
 *         up, or the wire has closed. */
const uint8_t *wire_next(struct wire *w, uint32_t *bytes);
/** Whether whole frames lie here that no readiness of the descriptor will announce. */
bool wire_has_frame(const struct wire *w);

/** Sends frames, in order.
 * @param n  at most WIRE_BATCH_FRAMES, with at most WIRE_BATCH_PARTS parts in all
 * @return how many were taken: sent, or (after the wire closed) lost. Fewer than `n`: blocked. */
uint32_t wire_send(struct wire *w, const struct wire_frame *frames, uint32_t n);

/* The kinds, for wire.c only. */
const uint8_t *stream_next(struct wire *w, uint32_t *bytes);
uint32_t stream_send(struct wire *w, const struct wire_frame *frames, uint32_t n);
const uint8_t *tap_next(struct wire *w, uint32_t *bytes);
uint32_t tap_send(struct wire *w, const struct wire_frame *frames, uint32_t n);

#endif
