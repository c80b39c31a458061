#include "libsys/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libsys/runtime.h"

/* Beyond this a second packet costs less than copying the payload into the batch. */
#define BATCH_COPY_MAX_BYTES 8192u

static struct {
  struct bus_op ops[BUS_OPS_MAX];
  unsigned nops;
  uint8_t payload[BATCH_COPY_MAX_BYTES];
  size_t payload_bytes;
} batch;

static void send_packet(struct iovec *iov, int niov, int fd) {
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)niov};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  if (fd >= 0) {
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control.bytes);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
  }
  ssize_t n;
  do {
    n = sendmsg(BUS_FD_CHANNEL, &msg, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) runtime_die("the bus is gone (%s)", strerror(errno));
}

/* Sends what is batched, then `last` if not NULL, whose payload is `out`. */
static void send_batch(const struct bus_op *last, const void *out, size_t out_len, int fd) {
  struct bus_packet head = {.version = BUS_ABI_VERSION, .nops = batch.nops + (last ? 1 : 0)};
  struct iovec iov[5];
  int n = 0;
  iov[n++] = (struct iovec){&head, sizeof(head)};
  if (batch.nops) iov[n++] = (struct iovec){batch.ops, batch.nops * sizeof(batch.ops[0])};
  if (last) iov[n++] = (struct iovec){(void *)(uintptr_t)last, sizeof(*last)};
  if (batch.payload_bytes) iov[n++] = (struct iovec){batch.payload, batch.payload_bytes};
  if (out_len) iov[n++] = (struct iovec){(void *)(uintptr_t)out, out_len};
  send_packet(iov, n, fd);
  batch.nops = 0;
  batch.payload_bytes = 0;
}

void channel_flush(void) {
  if (batch.nops) send_batch(NULL, NULL, 0, -1);
}

void channel_post(uint16_t code, endpoint_t dst, uint64_t arg, const msg_t *m, const void *out,
                  size_t out_len) {
  /* One place stays free for the operation that waits; a packet has one payload. */
  if (batch.nops == BUS_OPS_MAX - 1 || (out_len && batch.payload_bytes)) channel_flush();
  struct bus_op op = {.code = code, .dst = dst, .arg = arg, .payload = (uint32_t)out_len};
  if (m) op.m = *m;
  if (out_len > BATCH_COPY_MAX_BYTES) {
    send_batch(&op, out, out_len, -1);
    return;
  }
  batch.ops[batch.nops++] = op;
  if (out_len) memcpy(batch.payload, out, out_len);
  batch.payload_bytes += out_len;
}

void channel_send(const struct bus_op *op, const void *out, int fd) {
  if (op->payload && batch.payload_bytes) channel_flush();
  send_batch(op, out, op->payload, fd);
}

static void take_fds(struct channel_in *in, struct msghdr *msg) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (unsigned i = 0; i < n; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      if (in->nfds < CHANNEL_FDS_MAX)
        in->fds[in->nfds++] = fd;
      else
        close(fd);
    }
  }
}

bool channel_get(struct channel_in *in, bool wait) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
  } control;
  struct iovec iov[2] = {{&in->d, sizeof(in->d)}, {in->buf, in->cap}};
  struct msghdr msg = {.msg_iov = iov,
                       .msg_iovlen = in->cap ? 2 : 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
  in->nfds = 0;
  ssize_t n;
  do {
    n = recvmsg(BUS_FD_CHANNEL, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (n < 0 && errno == EINTR);
  if (n < 0 && !wait && errno == EAGAIN) return false;
  if (n < (ssize_t)sizeof(in->d)) runtime_die("the bus is gone");
  if (msg.msg_controllen) take_fds(in, &msg);
  return true;
}

void channel_exchange(const struct bus_op *op, const void *out, int fd, struct channel_in *in) {
  channel_send(op, out, fd);
  channel_get(in, true);
}

void channel_drop_fds(struct channel_in *in) {
  for (unsigned i = 0; i < in->nfds; i++)
    close(in->fds[i]);
  in->nfds = 0;
}
