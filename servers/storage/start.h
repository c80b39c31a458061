/* The beginning: the disk is waited for, and when it is there the file system is mounted. Requests
 * wait meanwhile; if it takes too long they are refused, until it comes after all. */
#ifndef PROTEOS_STORAGE_START_H
#define PROTEOS_STORAGE_START_H

#include <stdbool.h>
#include <stdint.h>

/** Begins. @param wait_s  so many seconds requests wait at most */
void start_begin(uint32_t wait_s, bool read_only);
/** For each turn: mounts when the disk is there. */
void start_go_on(void);
/** Whether requests wait. */
bool start_is_awaited(void);

#endif
