/* Allocation sites of the old version and what they are in the new one. Blocks keep the number of
 * their site for life; what the number means is rewritten, so that equal sites of hundreds of
 * successive builds share one entry of the table. */
#ifndef LIBST_SITE_PAIR_H
#define LIBST_SITE_PAIR_H

#include <stdint.h>

struct plan;

/** Finds the sites of the new version that the arena's present entries become: the same function,
 * file and type, and the same one among several of these.
 * @return by index of the arena's table, 1 + index in the new metadata, or 0; owned by the caller;
 *         NULL without memory */
uint32_t *site_pairs_new(struct plan *plan);

#endif
