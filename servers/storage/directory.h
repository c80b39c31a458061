/* Directories: entries by name. Names are NUL-terminated. */
#ifndef PROTEOS_STORAGE_DIRECTORY_H
#define PROTEOS_STORAGE_DIRECTORY_H

#include <stdint.h>

#include "servers/storage/node.h"

/** @return 0; -ENOENT, then *ino is 0; another negative errno */
int directory_find(uint32_t dir, const char *name, uint32_t *ino);
/** How often a directory was searched, which is not done for a name that is known (name-cache.h).
 */
uint64_t directory_searches(void);
/** Adds an entry. @param mode  of what it names. @return 0 or a negative errno */
int directory_add(struct node *dir, const char *name, uint32_t ino, uint32_t mode);
int directory_remove(struct node *dir, const char *name);
/** Makes an entry name another inode. */
int directory_replace(struct node *dir, const char *name, uint32_t ino, uint32_t mode);
/** @return 1: it has no entries but itself and its parent; 0; or a negative errno */
int directory_is_empty(uint32_t dir);
/** Lists entries from a position on (libsys/if/fs.h).
 * @return bytes of `out`, 0 at the end; or a negative errno */
int directory_list(struct node *dir, uint64_t from, void *out, uint32_t max);

#endif
