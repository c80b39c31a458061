/* How much memory each component may own, and what it has. */
#ifndef MM_QUOTA_H
#define MM_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/if/mem.h"
#include "libsys/msg.h"

#define QUOTA_DEFAULT_BYTES (16ull << 20)
#define QUOTA_PATIENCE_MS   1000u
#define QUOTAS_MAX          32u

/** Reads one of the server's arguments: quota=SIZE, patience=MILLISECONDS, NAME=SIZE; a size may
 * end in K, M or G. @return whether it is one */
bool quota_argument(const char *text);

/** Bytes that a component may own altogether. */
uint64_t quota_of(endpoint_t e);
/** What holders may take at least to unmap what is revoked, and those of areas of an owner that has
 * died. */
uint32_t quota_patience_ms(void);
/** Whether it may own so many more. */
bool quota_allows(endpoint_t owner, uint64_t bytes);
/** What a component has. @return whether that is anything */
bool quota_account(endpoint_t e, struct mem_account *account);

#endif
