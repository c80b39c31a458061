/* Shared mappings as state: a window of addresses of their own, so that a mapping keeps its place
 * over updates. */
#ifndef LIBST_MAPPING_H
#define LIBST_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPING_BASE  0x2b6a00000000ul
#define MAPPING_BYTES (64ul << 30)
enum { MAPPINGS_MAX = 128 };

struct mapping {
  uintptr_t address;
  size_t bytes;
  int fd; /* hidden; libst owns it */
};

/** This process's mappings. */
extern struct mapping mappings[MAPPINGS_MAX];
extern unsigned mapping_count;
/** How often they have changed. */
extern unsigned mapping_changes;

/** Maps what the old version had, read-only. Takes over `fd`. */
int mapping_adopt(uintptr_t address, size_t bytes, int fd);
/** After commit: as the old version had them, writable. */
int mappings_commit(void);
/** Do mappings, without a gap, contain all `bytes` from `address`? */
bool mapping_has(uintptr_t address, size_t bytes);

#endif
