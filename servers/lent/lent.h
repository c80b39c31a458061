/* Memory that callers lend to a server, for contents instead of payload: grants of areas of theirs
 * (libsys/if/mem.h), each mapped once and kept until it is revoked. A server that uses it calls the
 * memory server, and passes on what that says. */
#ifndef PROTEOS_LENT_H
#define PROTEOS_LENT_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/msg.h"

/** Bytes [at, at + bytes) of a grant.
 * @param owner   whose area it must be of: who asks
 * @param rights  enum mem_right that are needed
 * @param memory  receives them, until the end of the turn
 * @return 0, or -ENOENT (no such grant, not to this server, or revoked), -EACCES (another's, or
 * without the rights), -EFAULT (it is not that long), or what the memory server or the bus says */
int lent_find(endpoint_t owner, uint32_t grant, uint64_t at, uint32_t bytes, uint32_t rights,
              void **memory);

bool lent_is_server(endpoint_t ep);
/** The memory server says that some are revoked: they are given back. */
void lent_revoked(void);
/** It has ended, and all grants with it. */
void lent_drop_all(void);

#endif
