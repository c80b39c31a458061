/* Blocks in pages of their own on their way to the disk: those of a commit. */
#ifndef PROTEOS_STORAGE_COPIES_H
#define PROTEOS_STORAGE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

enum copy_state { COPY_IDLE, COPY_PENDING, COPY_UNDER_WAY, COPY_WRITTEN };

struct copy {
  uint64_t block;
  uint32_t page;
  uint16_t state; /* enum copy_state */
  bool owned;     /* the page is given back with it */
};

struct copies {
  struct copy *items;
  uint32_t count, capacity;
  uint32_t unwritten; /* pending, or under way */
  uint32_t pending;
  uint32_t flags; /* enum disk_flag, of the writes */
};

/** Copies a block's data into a page. @return the page; NO_PAGE: none can be had, or no memory */
uint32_t copies_add(struct copies *c, uint64_t block, const void *data);
/** The same with a page of somebody else's. @return 0 or -ENOMEM */
int copies_refer(struct copies *c, uint64_t block, uint32_t page);
/** Has all of them written (again). */
void copies_write_all(struct copies *c);
/** Begins what there is room for. */
void copies_go_on(struct copies *c);
/** The pages have been written: those of them that are ours. */
void copies_written(struct copies *c, const uint32_t *pages, uint32_t count);
bool copies_are_written(const struct copies *c);
/** Gives the pages back. Nothing must be under way. */
void copies_free(struct copies *c);

#endif
