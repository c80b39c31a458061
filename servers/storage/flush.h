/* Flushes of the device, numbered from 1. What was written is kept once a flush that was begun
 * after that has been done. */
#ifndef PROTEOS_STORAGE_FLUSH_H
#define PROTEOS_STORAGE_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

/** Something has been written. @return the flush that it needs */
uint32_t flush_needed(void);
/** The flush that all needs that was written up to now; 0: none. */
uint32_t flush_needed_by_all(void);
/** Whether it has been done. 0 always has. */
bool flush_is_done(uint32_t number);
/** Has a flush begin for all that was written up to now, unless nothing was. */
void flush_begin(void);
/** For the end of each turn: begins what there was no room for. */
void flush_look(void);
/** From the disk. */
void flush_done(int status);
void flush_lost(void);
/** One that failed is tried again; for the alarm. */
void flush_try_again(void);

#endif
