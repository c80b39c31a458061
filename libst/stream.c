#include "libst/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
  char bytes[CMSG_SPACE(STREAM_FDS_MAX * sizeof(int))];
  struct cmsghdr align;
};

int stream_send(int channel, const void *data, size_t bytes, const int *fds, size_t fd_count) {
  if (bytes > STREAM_PACKET_MAX || fd_count > STREAM_FDS_MAX) return -EMSGSIZE;
  union control control;
  struct iovec iov = {(void *)data, bytes};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
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

static size_t take_descriptors(struct msghdr *msg, int *fds, size_t room) {
  size_t count = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < here; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      if (count < room)
        fds[count++] = fd;
      else
        close(fd);
    }
  }
  return count;
}

ssize_t stream_receive(int channel, void *data, size_t cap, int *fds, size_t *fd_count) {
  union control control;
  struct iovec iov = {data, cap};
  struct msghdr msg = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
  ssize_t got;
  do
    got = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno == ECONNRESET ? -EPIPE : -errno;
  *fd_count = take_descriptors(&msg, fds, *fd_count);
  bool cut = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  if (got > 0 && !cut) return got;
  for (size_t i = 0; i < *fd_count; i++)
    close(fds[i]);
  *fd_count = 0;
  return cut ? -EPROTO : -EPIPE;
}
