/* Allocation sites of the old version and what they are in the new one. Blocks keep the number of
 * their site for life; what the number means is rewritten, so that equal sites of hundreds of
 * successive builds share one entry of the table. */
#ifndef LIBST_SITE_PAIR_H
#define LIBST_SITE_PAIR_H

#include <stdint.h>

struct plan;

/** Finds the site of the new version that one of the old is: the same function, file and type, and
 * the same one among several of these. Blocks of numbers, pointers and arrays have no name by which
 * their type could be found: where the function allocates as often as before, they become what the
 * call at the same place allocates now.
 * @return 1 + index in the new metadata, or 0 */
uint32_t site_pair_find(struct plan *plan, uint32_t index);
/** What blocks of a type without a name become.
 * @param pair  as site_pair_find() returns it
 * @return a type of the new version; 0: the type tells itself */
uint32_t site_pair_type(const struct plan *plan, uint32_t old_type, uint32_t pair);
/** Finds the sites of the new version that the arena's present entries become.
 * @return by index of the arena's table, 1 + index in the new metadata, or 0; owned by the caller;
 *         NULL without memory */
uint32_t *site_pairs_new(struct plan *plan);

#endif
