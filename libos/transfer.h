/* Reading and writing, in pieces of a message. */
#ifndef PROTEOS_OS_TRANSFER_H
#define PROTEOS_OS_TRANSFER_H

#include "libos/descriptor.h"

/** Makes a descriptor of a new handle of a server, or closes the handle.
 * @return the descriptor, or -1 with EMFILE */
int handle_install(enum descriptor_kind kind, endpoint_t server, uint32_t handle, uint32_t flags);

/** Runs an operation until it does not fail with EAGAIN, unless `d` is O_NONBLOCK. It is given
 * whether the server may answer later; a program that catches signals waits here instead, where
 * they end the wait. @return what the operation returns, or -1 with EINTR */
ssize_t transfer_wait(int fd, short events, ssize_t (*once)(int fd, bool wait, void *arg),
                      void *arg);

#endif
