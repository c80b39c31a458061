/* Writing dirty data back to the disk: what is old, when there is much, and what a commit wants. */
#ifndef PROTEOS_STORAGE_WRITEBACK_H
#define PROTEOS_STORAGE_WRITEBACK_H

#include <stdbool.h>
#include <stdint.h>

/** @param max_dirty  pages; 0: a quarter of the cache
 * @param age_s  data is written back after so many seconds */
void writeback_init(uint32_t max_dirty, uint32_t age_s);
/** Whether there is so much that writers have to wait. */
bool writeback_is_behind(void);
/** Begins to write back what there is room for: all of it; what a commit wants. */
void writeback_all(void);
void writeback_wanted(void);
/** For the end of each turn: what is more than may be. */
void writeback_turn_end(void);
/** What is old; for the alarm. */
void writeback_tick(void);
/** From the disk. */
void writeback_done(const uint32_t *pages, uint32_t count, int status);

#endif
