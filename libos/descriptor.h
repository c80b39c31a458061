/* The descriptors of this process: which server's handle each stands for.
 *
 * Descriptors that are duplicates here share one handle, which ends with the last of them. A server
 * never gives a handle twice while we have it: if one comes again, that server was restarted and
 * what we had is lost. */
#ifndef PROTEOS_OS_DESCRIPTOR_H
#define PROTEOS_OS_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/os.h"
#include "libsys/msg.h"

enum descriptor_kind {
  DESCRIPTOR_FREE,
  DESCRIPTOR_FILE,
  DESCRIPTOR_PIPE,
  DESCRIPTOR_CONSOLE,
  DESCRIPTOR_SOCKET,
  DESCRIPTOR_NULL, /* /dev/null */
  DESCRIPTOR_LOST, /* its server has forgotten it */
};

/** In proc_fd.flags: goes along to children. */
enum descriptor_flag { DESCRIPTOR_NONBLOCK = 1 };

struct descriptor {
  enum descriptor_kind kind;
  endpoint_t server;
  uint32_t handle;
  uint32_t flags; /* enum descriptor_flag, or-ed */
  uint32_t ready; /* sockets: enum sock_event_bit that came and still hold */
};

/** @return the descriptor, or NULL with errno EBADF, or EIO when it is lost */
struct descriptor *descriptor_get(int fd);
/** @return the lowest free number from `from` on, or -1 with EMFILE */
int descriptor_free(int from);
/** Puts `d` at `fd`, which must be free. @return fd */
int descriptor_put(int fd, struct descriptor d);
/** Puts a new handle of a server at the lowest free number; what else has it is lost.
 * @return the number, or -1 with EMFILE: the handle is then the caller's to close */
int descriptor_new(enum descriptor_kind kind, endpoint_t server, uint32_t handle, uint32_t flags);
/** A server has given a handle, for whatever: what has it here is lost. */
void descriptor_given(endpoint_t server, uint32_t handle);
/** Frees `fd`. @return whether nothing else stands for its handle, which is the caller's to close
 */
bool descriptor_drop(int fd);
/** What we had of a server is lost. */
void descriptor_server_lost(endpoint_t server);
/** Adds to, then removes from, `ready` of all that stand for a socket's handle. */
void descriptor_ready(endpoint_t server, uint32_t handle, uint32_t add, uint32_t remove);

#endif
