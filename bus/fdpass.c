#include "bus/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union room {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

ssize_t fdpass_send(int sock, const struct iovec *iov, unsigned niov, const int *fds,
                    unsigned nfds) {
  struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = niov};
  union room room;
  if (nfds > FDPASS_MAX) return -EINVAL;
  if (nfds) {
    msg.msg_control = room.bytes;
    msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
  }
  ssize_t n = sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
  return n < 0 ? -errno : n;
}

/* Takes as many as there is room for and closes the rest. @return whether all fitted */
static int take(struct msghdr *msg, int *fds, unsigned room, unsigned *n) {
  int fitted = !(msg->msg_flags & MSG_CTRUNC);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      if (*n < room) {
        fds[(*n)++] = fd;
      } else {
        close(fd);
        fitted = 0;
      }
    }
  }
  return fitted;
}

ssize_t fdpass_receive(int sock, void *buf, size_t cap, int *fds, unsigned *nfds) {
  struct iovec iov = {buf, cap};
  union room control;
  struct msghdr msg = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
  unsigned room = *nfds;
  *nfds = 0;
  ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) return -errno;
  if (msg.msg_controllen == 0 && !(msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC))) return n;
  if (!take(&msg, fds, room, nfds) || (msg.msg_flags & MSG_TRUNC)) {
    fdpass_close(fds, *nfds);
    *nfds = 0;
    return -EMSGSIZE;
  }
  return n;
}

void fdpass_close(int *fds, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    close(fds[i]);
}
