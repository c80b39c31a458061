/* Wires: which kind, and what they have in common. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

/* Reads in one turn. A stream read brings many frames, a TAP read one. */
enum { STREAM_BUDGET = 4, TAP_BUDGET = 64 };

int wire_open(struct wire *w, int fd) {
  struct stat st;
  w->fd = fd;
  w->closed = w->blocked = false;
  w->in_begin = w->in_end = w->out_begin = w->out_end = 0;
  if (fstat(fd, &st) < 0) return -EBADF;
  if (S_ISSOCK(st.st_mode)) {
    w->kind = WIRE_STREAM; /* each call says MSG_DONTWAIT */
  } else if (S_ISCHR(st.st_mode)) {
    w->kind = WIRE_TAP;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
      return -errno;
  } else {
    w->kind = WIRE_NONE;
    return -EINVAL;
  }
  return 0;
}

void wire_begin(struct wire *w) {
  w->budget = w->kind == WIRE_TAP ? TAP_BUDGET : STREAM_BUDGET;
}

const uint8_t *wire_next(struct wire *w, uint32_t *bytes) {
  switch (w->kind) {
  case WIRE_STREAM:
    return stream_next(w, bytes);
  case WIRE_TAP:
    return tap_next(w, bytes);
  case WIRE_NONE:
    break;
  }
  return NULL;
}

uint32_t wire_send(struct wire *w, const struct wire_frame *frames, uint32_t n) {
  if (w->closed) return n;
  switch (w->kind) {
  case WIRE_STREAM:
    return stream_send(w, frames, n);
  case WIRE_TAP:
    return tap_send(w, frames, n);
  case WIRE_NONE:
    break;
  }
  return n;
}
