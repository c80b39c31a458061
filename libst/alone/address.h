/* Where the supervisor of a process listens: an abstract Unix socket, named after the process and
 * its namespace of process ids. It needs no folder, leaves nothing behind, and the kernel tells
 * both sides who the other one is. */
#ifndef LIBST_ALONE_ADDRESS_H
#define LIBST_ALONE_ADDRESS_H

#include <sys/types.h>

/** Listens for this process. @return the socket, close-on-exec and non-blocking, or a negative
 * errno
 */
int address_listen(void);
/** Accepts a client. @return its socket, close-on-exec and non-blocking; -EPERM when it belongs to
 * another user than this process's or root; or another negative errno */
int address_accept(int listener);
/** Connects to the supervisor of `pid`.
 * @param inner  receives the process id as `pid` itself sees it
 * @return the socket; -ESRCH: no such process; -ECONNREFUSED: it does not listen; -EPERM: another
 * user's; or another negative errno */
int address_connect(pid_t pid, pid_t *inner);
/** The parent of a process, or 0. */
pid_t address_parent(pid_t pid);

#endif
