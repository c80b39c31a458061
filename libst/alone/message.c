#include "libst/alone/message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/stream.h"

int message_send(int channel, const Proteos__Alone *m, const int *fds, size_t fd_count) {
  size_t bytes = proteos__alone__get_packed_size(m);
  uint8_t *packet = malloc(bytes);
  if (!packet) return -ENOMEM;
  proteos__alone__pack(m, packet);
  int err = stream_send(channel, packet, bytes, fds, fd_count);
  free(packet);
  return err;
}

int message_say(int channel, Proteos__AloneKind kind, unsigned update, int status,
                const char *text) {
  Proteos__Alone m = PROTEOS__ALONE__INIT;
  m.kind = kind;
  m.update = update;
  m.status = status;
  m.text = (char *)text;
  return message_send(channel, &m, NULL, 0);
}

int message_receive(int channel, struct message *in) {
  struct pollfd p = {.fd = channel, .events = POLLIN};
  in->m = NULL;
  in->fd_count = 0;
  if (poll(&p, 1, 0) == 0) return -EAGAIN;
  in->fd_count = MESSAGE_FDS;
  uint8_t *packet = malloc(STREAM_PACKET_MAX);
  if (!packet) return -ENOMEM;
  ssize_t bytes = stream_receive(channel, packet, STREAM_PACKET_MAX, in->fds, &in->fd_count);
  if (bytes > 0) in->m = proteos__alone__unpack(NULL, (size_t)bytes, packet);
  free(packet);
  if (bytes < 0) {
    in->fd_count = 0;
    return (int)bytes;
  }
  if (in->m) return 0;
  message_free(in);
  return -EPROTO;
}

int message_wait(int channel, struct message *in) {
  int err;
  do {
    struct pollfd p = {.fd = channel, .events = POLLIN};
    if (poll(&p, 1, -1) < 0 && errno != EINTR) return -errno;
    err = message_receive(channel, in);
  } while (err == -EAGAIN);
  return err;
}

int message_take_fd(struct message *in, size_t i) {
  if (i >= in->fd_count) return -1;
  int fd = in->fds[i];
  in->fds[i] = -1;
  return fd;
}

void message_free(struct message *in) {
  for (size_t i = 0; i < in->fd_count; i++)
    if (in->fds[i] >= 0) close(in->fds[i]);
  if (in->m) proteos__alone__free_unpacked(in->m, NULL);
  in->m = NULL;
  in->fd_count = 0;
}
