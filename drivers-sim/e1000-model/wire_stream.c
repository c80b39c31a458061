/* The stream wire: frames behind their lengths on a Unix stream socket. */
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { PREFIX_BYTES = 4 };

static uint32_t get_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v) {
  p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
}

bool wire_has_frame(const struct wire *w) {
  uint32_t have = w->in_end - w->in_begin;
  return w->kind == WIRE_STREAM && have >= PREFIX_BYTES &&
         have - PREFIX_BYTES >= get_be32(w->in + w->in_begin);
}

/* Reads once. */
static bool fill(struct wire *w) {
  if (w->closed || w->budget == 0) return false;
  w->budget--;
  memmove(w->in, w->in + w->in_begin, w->in_end - w->in_begin);
  w->in_end -= w->in_begin;
  w->in_begin = 0;
  size_t room = sizeof(w->in) - w->in_end;
  ssize_t n = recv(w->fd, w->in + w->in_end, room, MSG_DONTWAIT);
  if (n > 0) {
    w->in_end += n;
    if ((size_t)n < room) w->budget = 0; /* that was all */
    return true;
  }
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) w->closed = true;
  return false;
}

const uint8_t *stream_next(struct wire *w, uint32_t *bytes) {
  do {
    if (w->in_end - w->in_begin < PREFIX_BYTES) continue;
    uint32_t length = get_be32(w->in + w->in_begin);
    if (length > WIRE_RECEIVE_MAX) {
      w->closed = true; /* out of step: nothing that follows can be trusted */
      w->in_begin = w->in_end = 0;
      return NULL;
    }
    if (w->in_end - w->in_begin - PREFIX_BYTES < length) continue;
    const uint8_t *frame = w->in + w->in_begin + PREFIX_BYTES;
    w->in_begin += PREFIX_BYTES + length;
    *bytes = length;
    return frame;
  } while (fill(w));
  return NULL;
}

/* Sends what is left of a frame. @return false when some still is. */
static bool flush(struct wire *w) {
  while (w->out_begin < w->out_end) {
    ssize_t n =
        send(w->fd, w->out + w->out_begin, w->out_end - w->out_begin, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno != EAGAIN) w->closed = true;
      return w->closed;
    }
    w->out_begin += n;
  }
  w->out_begin = w->out_end = 0;
  return true;
}

/* Keeps the bytes of a frame from `skip` on (its prefix counted), to go first next time. */
static void keep_rest(struct wire *w, const struct wire_frame *f, const uint8_t *prefix,
                      size_t skip) {
  w->out_begin = w->out_end = 0;
  struct iovec whole[WIRE_BATCH_PARTS + 1];
  whole[0] = (struct iovec){(void *)prefix, PREFIX_BYTES};
  memcpy(whole + 1, f->parts, f->nparts * sizeof(*whole));
  for (uint32_t i = 0; i <= f->nparts; i++) {
    size_t length = whole[i].iov_len, cut = skip < length ? skip : length;
    memcpy(w->out + w->out_end, (char *)whole[i].iov_base + cut, length - cut);
    w->out_end += length - cut;
    skip -= cut;
  }
}

uint32_t stream_send(struct wire *w, const struct wire_frame *frames, uint32_t n) {
  struct iovec iov[WIRE_BATCH_FRAMES + WIRE_BATCH_PARTS];
  uint8_t prefix[WIRE_BATCH_FRAMES][PREFIX_BYTES];
  size_t niov = 0;
  w->blocked = !flush(w);
  if (w->closed) return n;
  if (w->blocked || n == 0) return 0;

  for (uint32_t i = 0; i < n; i++) {
    put_be32(prefix[i], frames[i].bytes);
    iov[niov++] = (struct iovec){prefix[i], PREFIX_BYTES};
    memcpy(iov + niov, frames[i].parts, frames[i].nparts * sizeof(*iov));
    niov += frames[i].nparts;
  }
  struct msghdr mh = {.msg_iov = iov, .msg_iovlen = niov};
  ssize_t sent;
  do
    sent = sendmsg(w->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN) {
    w->closed = true;
    return n;
  }

  size_t left = sent < 0 ? 0 : sent;
  for (uint32_t i = 0; i < n; i++) {
    size_t whole = PREFIX_BYTES + frames[i].bytes;
    if (left < whole) {
      w->blocked = true;
      if (left == 0) return i;
      keep_rest(w, &frames[i], prefix[i], left);
      return i + 1;
    }
    left -= whole;
  }
  return n;
}
