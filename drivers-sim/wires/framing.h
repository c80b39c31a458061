/* Frames on a stream socket, each behind its length, 32 bits, big-endian. Many a system call, and a
 * bounded amount of memory in each direction. */
#ifndef PROTEOS_FRAMING_H
#define PROTEOS_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  FRAMING_FRAME_MAX = 65535,
  FRAMING_IN_BYTES = 256 * 1024,
  FRAMING_OUT_BYTES = 1024 * 1024,
  FRAMING_CONGESTED_BYTES = 256 * 1024, /* of unsent frames: make no more of them */
};

struct framing {
  int fd;
  bool closed; /* the peer is gone, or has broken the framing */
  size_t in_begin, in_end, out_begin, out_end;
  uint8_t in[FRAMING_IN_BYTES], out[FRAMING_OUT_BYTES];
};

/** @param fd  a stream socket; borrowed */
void framing_init(struct framing *f, int fd);
/** Reads what is there, once. */
void framing_read(struct framing *f);
/** The next frame read, valid until framing_read(); NULL when there is no whole one. */
const uint8_t *framing_next(struct framing *f, size_t *bytes);
/** Appends a frame to those to be sent. @return false when there is no room: the frame is lost */
bool framing_put(struct framing *f, const void *frame, size_t bytes);
/** Sends what the socket takes. */
void framing_flush(struct framing *f);
size_t framing_unsent(const struct framing *f);
bool framing_congested(const struct framing *f);

#endif
