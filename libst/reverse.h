/* The way back: from addresses of the new version to those of the old one. */
#ifndef LIBST_REVERSE_H
#define LIBST_REVERSE_H

#include <stdbool.h>
#include <stdint.h>

struct pointed;
struct programs;
struct reverse;
struct transfer;

/** Prepares it, when everything is transferred and no old place is given up yet.
 * @return owned by the caller, or NULL without memory */
struct reverse *reverse_new(struct transfer *t);
void reverse_free(struct reverse *r);
/** The programs from the new version's types to the old one's. */
struct programs *reverse_programs(struct reverse *r);
/** How an address is read that is both the start of a variable and the end of another. */
void reverse_prefer_ends(struct reverse *r, bool ends);

/** The old version's address for one of the new version; the same when it has none, or may be none.
 */
uint64_t reverse_follow(struct transfer *t, uint64_t value, const struct pointed *pointed);
/** Is `value`, which reverse_follow() left as it is, another copy of the constant that `original`
 * points to, or the same variable of a library? */
bool reverse_same(struct transfer *t, uint64_t value, uint64_t original);

#endif
