/* State that outlives its process: the writable segments lie on a memfd, whose layout is that of a
 * snapshot, as the heap does. */
#ifndef LIBST_KEEP_H
#define LIBST_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer;

/* The first page of what is kept. */
struct kept {
  uint64_t magic;
  uint32_t whole; /* the heap's memfd holds all of the heap */
  uint32_t unused;
};

#define KEPT_MAGIC 0x315450454b5453ull /* "STKEPT1" */

/** Whether the heap's memfd holds all of the heap from now on: not from an update's commit until it
 * is written back. */
void keep_whole(bool whole);

/** New version: whether what an ended process has left can be used at all; makes the lists of its
 * heap anew. The heap is adopted. @return 0, or -EINVAL with a violation in the report */
int keep_check(struct transfer *t);
/** New version: completes the snapshot, once the header tells what is in it. */
void keep_complete(struct transfer *t);

#endif
