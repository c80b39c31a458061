/* Relocation: an update that moves every block that can move, so that a pointer which is not known
 * as one is found: its value is an old address. */
#ifndef LIBST_RELOCATE_H
#define LIBST_RELOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct place;
struct site_plan;
struct transfer;

/** Finds the blocks that words of memory without types may point to: they cannot move. Makes the
 * addresses of the old images unusable.
 * @return 0 or a negative errno */
int relocate_prepare(struct transfer *t);
/** Whether a block is to move; counts it. */
bool relocate_moves(struct transfer *t, const struct site_plan *site, const struct block *block);
/** A place for a block with the alignment that it has. @return NULL without memory */
void *relocate_place(const struct block *block, size_t bytes);
/** Looks for old addresses in the whole new state: each is a violation. Reports how many blocks
 * have moved. To be called before old places are given up. */
void relocate_scan(struct transfer *t);
/** Adds a note with how many blocks have moved, and why others have not. */
void relocate_report(struct transfer *t);
/** Poisons the old places of blocks. They are not used again before the next update. */
int relocate_quarantine(struct transfer *t);
/** Frees what an earlier relocation has poisoned. @return 0 or -ENOMEM */
int relocate_release(void);
void relocate_free(void);

#endif
