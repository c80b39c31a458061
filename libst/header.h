/* The header of the state stream, as the old version sends it: what is loaded where, and what comes
 * with it. */
#ifndef LIBST_HEADER_H
#define LIBST_HEADER_H

#include <stddef.h>

#include "libst/descriptor.h"

/** Sends the prelude, with the snapshot and this process's heap.
 * @param bytes  of the snapshot
 * @param kept   the process may have been interrupted anywhere when the state is read
 * @return 0 or a negative errno */
int header_send_prelude(int channel, int snapshot, size_t bytes, bool kept);

/** Sends the header, with the shared mappings. @param fds  what descriptors will follow
 * @return 0 or a negative errno */
int header_send(int channel, const struct descriptor *fds, size_t fd_count);

#endif
