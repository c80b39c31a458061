#include "cli/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bus/fdpass.h"
#include "proto/control_limits.h"

int control_send_files(int control, const Proteos__ControlRequest *request, const int *fds,
                       unsigned nfds) {
  uint8_t packed[CONTROL_REQUEST_MAX_BYTES];
  if (proteos__control_request__get_packed_size(request) > sizeof(packed)) return -EMSGSIZE;
  struct iovec iov = {packed, proteos__control_request__pack(request, packed)};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CONTROL_FILES_MAX * sizeof(int))];
  } rights = {0};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (nfds > CONTROL_FILES_MAX) return -EINVAL;
  if (nfds) {
    msg.msg_control = rights.bytes;
    msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
  }
  if (sendmsg(control, &msg, MSG_NOSIGNAL) >= 0) return 0;
  return errno == EPIPE ? 0 : -errno; /* it was turned away: what there is to receive says why */
}

int control_send(int control, const Proteos__ControlRequest *request, int fd) {
  return control_send_files(control, request, &fd, fd >= 0 ? 1 : 0);
}

Proteos__ControlReply *control_receive(int control) {
  static uint8_t packed[CONTROL_REPLY_MAX_BYTES];
  ssize_t n;
  do
    n = recv(control, packed, sizeof(packed), 0);
  while (n < 0 && errno == EINTR);
  return n > 0 ? proteos__control_reply__unpack(NULL, (size_t)n, packed) : NULL;
}

Proteos__ControlReply *control_receive_files(int control, int *fds, unsigned *nfds) {
  static uint8_t packed[CONTROL_REPLY_MAX_BYTES];
  unsigned room = *nfds;
  ssize_t n;
  do {
    *nfds = room;
    n = fdpass_receive(control, packed, sizeof(packed), fds, nfds);
  } while (n == -EINTR || (n == -EAGAIN && control_wait(control, -1)));
  return n > 0 ? proteos__control_reply__unpack(NULL, (size_t)n, packed) : NULL;
}

Proteos__ControlReply *control_ask(int control, const Proteos__ControlRequest *request) {
  return control_send(control, request, -1) ? NULL : control_receive(control);
}

Proteos__ControlReply *control_status(int control) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__StatusRequest status = PROTEOS__STATUS_REQUEST__INIT;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_STATUS;
  request.status = &status;
  return control_ask(control, &request);
}

bool control_wait(int control, int ms) {
  struct pollfd p = {.fd = control, .events = POLLIN};
  int n;
  do
    n = poll(&p, 1, ms);
  while (n < 0 && errno == EINTR);
  return n != 0;
}

int control_lost(void) {
  fprintf(stderr, "prctl: the instance closed the connection before it answered\n");
  return EXIT_FAILURE;
}

int control_refused(Proteos__ControlReply *reply) {
  if (!reply) return control_lost();
  fprintf(stderr, "prctl: %s\n", *reply->text ? reply->text : strerror(-reply->status));
  proteos__control_reply__free_unpacked(reply, NULL);
  return EXIT_FAILURE;
}

int control_follow(int control) {
  bool explained = false;
  for (;;) {
    Proteos__ControlReply *reply = control_receive(control);
    if (!reply) return control_lost();
    bool last = reply->last, failed = reply->status != 0;
    if (*reply->text) {
      puts(reply->text);
      fflush(stdout);
      explained = true;
    } else if (last && failed && !explained) {
      fprintf(stderr, "prctl: %s\n", strerror(-reply->status));
    }
    proteos__control_reply__free_unpacked(reply, NULL);
    if (last) return failed ? EXIT_FAILURE : EXIT_SUCCESS;
  }
}
