#include "framing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { PREFIX_BYTES = 4 };

void framing_init(struct framing *f, int fd) {
  f->fd = fd;
  f->closed = false;
  f->in_begin = f->in_end = f->out_begin = f->out_end = 0;
}

void framing_read(struct framing *f) {
  memmove(f->in, f->in + f->in_begin, f->in_end - f->in_begin);
  f->in_end -= f->in_begin;
  f->in_begin = 0;
  ssize_t n = recv(f->fd, f->in + f->in_end, sizeof(f->in) - f->in_end, MSG_DONTWAIT);
  if (n > 0)
    f->in_end += n;
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    f->closed = true;
}

const uint8_t *framing_next(struct framing *f, size_t *bytes) {
  const uint8_t *p = f->in + f->in_begin;
  size_t have = f->in_end - f->in_begin;
  if (have < PREFIX_BYTES) return NULL;
  size_t length = (size_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
  if (length > FRAMING_FRAME_MAX) {
    f->closed = true;
    return NULL;
  }
  if (have < PREFIX_BYTES + length) return NULL;
  f->in_begin += PREFIX_BYTES + length;
  *bytes = length;
  return p + PREFIX_BYTES;
}

bool framing_put(struct framing *f, const void *frame, size_t bytes) {
  size_t need = PREFIX_BYTES + bytes;
  if (bytes > FRAMING_FRAME_MAX || framing_unsent(f) + need > sizeof(f->out)) return false;
  if (f->out_end + need > sizeof(f->out)) {
    memmove(f->out, f->out + f->out_begin, framing_unsent(f));
    f->out_end -= f->out_begin;
    f->out_begin = 0;
  }
  uint8_t *p = f->out + f->out_end;
  p[0] = bytes >> 24, p[1] = bytes >> 16, p[2] = bytes >> 8, p[3] = bytes;
  memcpy(p + PREFIX_BYTES, frame, bytes);
  f->out_end += need;
  return true;
}

void framing_flush(struct framing *f) {
  while (f->out_begin < f->out_end && !f->closed) {
    ssize_t n = send(f->fd, f->out + f->out_begin, framing_unsent(f), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno != EAGAIN) f->closed = true;
      return;
    }
    f->out_begin += n;
  }
  f->out_begin = f->out_end = 0;
}

size_t framing_unsent(const struct framing *f) {
  return f->out_end - f->out_begin;
}

bool framing_congested(const struct framing *f) {
  return framing_unsent(f) > FRAMING_CONGESTED_BYTES;
}
