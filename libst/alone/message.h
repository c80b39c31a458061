/* Messages of proto/alone.proto with their descriptors. */
#ifndef LIBST_ALONE_MESSAGE_H
#define LIBST_ALONE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "alone.pb-c.h"

enum { MESSAGE_FDS = 4 };

struct message {
  Proteos__Alone *m;
  int fds[MESSAGE_FDS]; /* close-on-exec; -1 once taken */
  size_t fd_count;
};

/** @return 0; -EPIPE when the peer is gone, -EAGAIN when it does not read, or another errno */
int message_send(int channel, const Proteos__Alone *m, const int *fds, size_t fd_count);
/** Sends a message without descriptors. */
int message_say(int channel, Proteos__AloneKind kind, unsigned update, int status,
                const char *text);
/** Takes a message that is there. The caller frees it.
 * @return 0; -EAGAIN when there is none, -EPIPE when the peer is gone, -EPROTO */
int message_receive(int channel, struct message *in);
/** Waits for a message. */
int message_wait(int channel, struct message *in);
/** Takes descriptor `i` out of a message. @return it, or -1 when there is none */
int message_take_fd(struct message *in, size_t i);
/** Frees it and closes the descriptors that were not taken. */
void message_free(struct message *in);

#endif
