/* Runs of pages of the state heap: taken from the bins of free runs or from the arena's top, given
 * back with their neighbours joined. */
#ifndef LIBST_RUN_H
#define LIBST_RUN_H

#include <stdbool.h>
#include <stdint.h>

/** Takes a run; the caller fills its entries in the page map.
 * @param zero  receives whether its bytes are known to be zero
 * @return its first page, or 0 with errno ENOMEM. */
uint32_t run_alloc(uint32_t pages, bool *zero);
/** Keeps `pages` pages that start at a multiple of `unit` of a run of `total` just allocated. */
uint32_t run_trim(uint32_t page, uint32_t total, uint32_t unit, uint32_t pages);
void run_free(uint32_t page, uint32_t pages);
/** Calls `visit` for free runs of `least` pages or more. @return what it returns if not 0, else 0
 */
int run_each_free(uint32_t least, int (*visit)(uint32_t page, uint32_t pages));
/** Forgets which runs are free ... */
void run_forget_free(void);
/** ... and learns it again, of each. It has no free neighbour.
 * @param clean  its bytes are zero, and no memory is behind them */
void run_recover(uint32_t page, uint32_t pages, bool clean);
/** Whether the arena is mapped shared: only then does giving pages to the kernel give them back
 * (over a private mapping the old bytes would return). */
void run_set_shared(bool shared);

#endif
