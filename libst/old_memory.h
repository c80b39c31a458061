/* The old version's memory as it was when it froze, read in the new version. */
#ifndef LIBST_OLD_MEMORY_H
#define LIBST_OLD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct transfer;

/** Maps the old version's heap, which the transfer does not change. @return 0 or a negative errno
 */
int old_memory_open(void);
/** Where `bytes` at an address of the old version can be read, or NULL: they were no state.
 * @param t  a struct transfer; for struct filter_memory */
const void *old_memory_at(void *t, uintptr_t address, size_t bytes);
/** The old version's arena: what lies at ARENA_BASE + x there is at this + x here. */
const unsigned char *old_memory_heap(void);
void old_memory_close(void);

#endif
