/* Sockets that several endpoints have, since one gave another a duplicate of its handle.
 *
 * A duplicate has the same number. One of those who have a socket is its owner, who hears of its
 * events; the others are noted here, in the order in which they came. When the owner closes it or
 * ends, the first of them takes its place. */
#ifndef NET_SHARE_H
#define NET_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/msg.h"

#define MAX_SHARES 64

/** Whether an endpoint that is not the owner has the socket, too. */
bool share_has(uint32_t handle, endpoint_t endpoint);
/** Notes that it does. @return 0, or -EMFILE: there are too many */
int share_add(uint32_t handle, endpoint_t endpoint);
/** Forgets it. @return whether it was noted */
bool share_drop(uint32_t handle, endpoint_t endpoint);
/** Takes the first one that has the socket, as its next owner. @return 0 when nobody has */
endpoint_t share_take(uint32_t handle);

#endif
