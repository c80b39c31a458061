/* Paths, and who may go along them. */
#ifndef PROTEOS_STORAGE_PATH_H
#define PROTEOS_STORAGE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/if/fs.h"
#include "servers/storage/files.h"

enum { ROOT_INO = 2 };

struct path {
  const char *text; /* not NUL-terminated */
  uint32_t length;
  uint32_t start; /* the directory where it begins unless with '/' */
};

struct place {
  uint32_t dir; /* the directory of the last name */
  uint32_t ino; /* what it names; 0: nothing */
  char name[FS_NAME_MAX + 1];
  bool ends_with_slash; /* must be a directory */
};

/** Takes a payload of `count` paths with NULs between apart, at most two.
 * @return 0; -EINVAL, -ENAMETOOLONG, -ENOENT (an empty one) */
int path_split(const void *payload, uint32_t bytes, unsigned count, struct path *paths);
/** Where a path leads. That its last name does not exist is no error.
 * @param follow  follow a symbolic link that it ends in
 * @return 0 or a negative errno */
int path_find(const struct path *path, struct credentials who, bool follow, struct place *place);
/** @param how  enum fs_may, or-ed. @return 0 or -EACCES */
int path_may(const struct node *node, struct credentials who, unsigned how);
/** Whether `who` may take a file's name out of a directory. @return 0, -EACCES, -EPERM */
int path_may_remove(const struct node *dir, const struct node *node, struct credentials who);
/** What a symbolic link says. @return its length, or a negative errno */
int path_read_link(struct node *node, char *out, uint32_t max);

#endif
