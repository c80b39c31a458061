#include "libst/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

union control {
  char bytes[CMSG_SPACE(STREAM_FDS_MAX * sizeof(int))];
  struct cmsghdr align;
};

static uint32_t checksum(const void *data, size_t bytes, size_t fd_count) {
  return (uint32_t)crc32_z(fd_count, data, bytes);
}

int stream_send(int channel, const void *data, size_t bytes, const int *fds, size_t fd_count) {
  if (bytes > STREAM_PACKET_MAX || fd_count > STREAM_FDS_MAX) return -EMSGSIZE;
  union control control;
  uint32_t sum = checksum(data, bytes, fd_count);
  struct iovec iov[2] = {{(void *)data, bytes}, {&sum, sizeof(sum)}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  if (fd_count > 0) {
    msg.msg_control = control.bytes;
    msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    memset(control.bytes, 0, msg.msg_controllen);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
  }
  ssize_t sent;
  do
    sent = sendmsg(channel, &msg, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return 0;
  return errno == ECONNRESET ? -EPIPE : -errno;
}

/* @return how many came; those that have no room are closed */
static size_t take_descriptors(struct msghdr *msg, int *fds, size_t room) {
  size_t count = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < here; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      if (count < room)
        fds[count] = fd;
      else
        close(fd);
      count++;
    }
  }
  return count;
}

/* The checksum lies behind the packet, which may have filled its room. */
static bool is_whole(const char *data, size_t cap, const char *rest, size_t got, size_t fd_count) {
  uint32_t sum;
  if (got < sizeof(sum)) return false;
  for (size_t i = 0; i < sizeof(sum); i++) {
    size_t at = got - sizeof(sum) + i;
    ((char *)&sum)[i] = at < cap ? data[at] : rest[at - cap];
  }
  return sum == checksum(data, got - sizeof(sum), fd_count);
}

/* Receives with flags of recvmsg(). Descriptors beyond the room are closed, and the packet is cut.
 */
static ssize_t receive(int channel, int flags, void *data, size_t cap, int *fds, size_t *fd_count) {
  union control control;
  char rest[sizeof(uint32_t)];
  struct iovec iov[2] = {{data, cap}, {rest, sizeof(rest)}};
  struct msghdr msg = {.msg_iov = iov,
                       .msg_iovlen = 2,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
  ssize_t got;
  do
    got = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | flags);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno == ECONNRESET ? -EPIPE : -errno;
  size_t came = take_descriptors(&msg, fds, *fd_count);
  bool cut = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || came > *fd_count;
  if (came < *fd_count) *fd_count = came;
  if (got > 0 && !cut && is_whole(data, cap, rest, (size_t)got, *fd_count))
    return got - (ssize_t)sizeof(uint32_t);
  for (size_t i = 0; i < *fd_count; i++)
    close(fds[i]);
  *fd_count = 0;
  return got > 0 || cut ? -EPROTO : -EPIPE;
}

ssize_t stream_receive(int channel, void *data, size_t cap, int *fds, size_t *fd_count) {
  return receive(channel, 0, data, cap, fds, fd_count);
}

ssize_t stream_peek(int channel, void *data, size_t cap, size_t fd_count) {
  int fds[STREAM_FDS_MAX], off = 0;
  socklen_t size = sizeof(off);
  size_t count = STREAM_FDS_MAX;
  /* Each peek moves on, once it is said where the first one starts. */
  if (getsockopt(channel, SOL_SOCKET, SO_PEEK_OFF, &off, &size) < 0) return -errno;
  if (off < 0) {
    off = 0;
    if (setsockopt(channel, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)) < 0) return -errno;
  }
  ssize_t got = receive(channel, MSG_PEEK, data, cap, fds, &count);
  /* A look makes descriptors of its own. */
  for (size_t i = 0; i < count; i++)
    close(fds[i]);
  return got >= 0 && count != fd_count ? -EPROTO : got;
}
