/* The TAP wire: one frame a read, one frame a write. */
#include "wire.h"

#include <errno.h>
#include <unistd.h>

const uint8_t *tap_next(struct wire *w, uint32_t *bytes) {
  while (!w->closed && w->budget > 0) {
    w->budget--;
    ssize_t n = read(w->fd, w->in, sizeof(w->in));
    if (n > 0) {
      *bytes = n;
      return w->in;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) w->closed = true; /* the interface was removed */
    break;
  }
  return NULL;
}

uint32_t tap_send(struct wire *w, const struct wire_frame *frames, uint32_t n) {
  w->blocked = false;
  for (uint32_t i = 0; i < n; i++) {
    ssize_t sent;
    do
      sent = writev(w->fd, frames[i].parts, frames[i].nparts);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN) {
      w->blocked = true;
      return i;
    }
    /* Any other error loses this frame, as a cable would: EIO is an interface that is down. */
  }
  return n;
}
