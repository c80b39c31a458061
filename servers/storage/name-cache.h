/* What was found last in directories, by directory and name, so that they need not be searched each
 * time: inodes, and that there is no such name. "." and ".." are not in it: so all that is known of
 * a directory that is removed stays true when another one gets its inode. */
#ifndef PROTEOS_STORAGE_NAME_CACHE_H
#define PROTEOS_STORAGE_NAME_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/** @param ino  what it names; 0: there is no such name. @return whether that is known */
bool name_cache_find(uint32_t dir, const char *name, uint32_t *ino);
/** A name was found, or added, or, with `ino` 0, is not there. */
void name_cache_put(uint32_t dir, const char *name, uint32_t ino);
/** What the name means is not known any more. */
void name_cache_drop(uint32_t dir, const char *name);

#endif
