/* Memory segments: the mechanism below the memory server, which has the policy. A segment is a
 * memfd of busd's that its maker, a component with `kernel: [memory]`, shares with others. What a
 * component is given can be mapped writable only if it may write. */
#ifndef PROTEOS_MEMORY_H
#define PROTEOS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "bus/endpoint.h"

#define MEMORY_SEGMENTS_MAX      512u
#define MEMORY_SEGMENT_BYTES_MAX (1ull << 32)

/** Makes a segment, all zero. @param bytes  a multiple of the page size
 * @param id  receives its number, which is used once
 * @return 0, -EINVAL, -ENFILE: there are too many, or another negative errno */
int memory_make(const struct endpoint *maker, uint64_t bytes, uint32_t *id);

/** Says what a component may do with a segment of the caller's: enum bus_segment_right, 0: nothing
 * any more. What it has mapped stays.
 * @param incarnation  receives the component's
 * @return 0, -ENOENT: no segment of the maker's, -ESRCH: no such peer that lives, -EINVAL */
int memory_share(const struct endpoint *maker, uint32_t id, endpoint_t with, uint32_t rights,
                 uint32_t *incarnation);

/** Opens a segment for one that it is shared with. @param bytes  receives its size
 * @return a descriptor, the caller's, or -ENOENT */
int memory_open(const struct endpoint *holder, uint32_t id, uint64_t *bytes);

/** Ends a segment; the memory goes when nobody maps it. @return 0 or -ENOENT */
int memory_drop(const struct endpoint *maker, uint32_t id);

/** Ends a component that does not give memory back.
 * @return 0, -ESRCH: this life of it is over, or it is no peer; -EBUSY: it is held or stopped, or
 * on probation, where its old version would come back with the mapping */
int memory_end(const struct endpoint *maker, endpoint_t holder, uint32_t incarnation);

/** A component's life is over: what it made is dropped, and nothing is shared with it. */
void memory_forget(const struct endpoint *e);

/** Whether the table is sound. @param why  receives what is not */
bool memory_check(char *why, size_t cap);

#endif
