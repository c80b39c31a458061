/* Handles and the open files behind them, and who their owners are. */
#ifndef PROTEOS_STORAGE_FILES_H
#define PROTEOS_STORAGE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/msg.h"
#include "servers/storage/node.h"

/* An open file description of POSIX. */
struct file {
  struct node *node;
  uint32_t flags; /* enum fs_open_flag */
  uint32_t handles;
  uint64_t position;
};

enum { HANDLES_MAX = 256 /* of one endpoint */, FILES_MAX = 4096 };

/** Whether an endpoint can open one more: a place for the handle is kept ready.
 * @return 0, -EMFILE, -ENOMEM */
int files_room(endpoint_t owner);
/** Opens a node, whose use becomes the file's.
 * @return a handle, or -EMFILE, -ENOMEM: the node is still the caller's */
int64_t files_open(endpoint_t owner, struct node *node, uint32_t flags);
/** @return NULL: no such handle of that owner */
struct file *files_find(endpoint_t owner, uint32_t handle);
/** @return 0 or -EBADF */
int files_close(endpoint_t owner, uint32_t handle);
/** @return a handle of `to`, or -EBADF, -EMFILE, -ENOMEM */
int64_t files_duplicate(endpoint_t from, uint32_t handle, endpoint_t to);
/** An endpoint's process has ended: its handles are closed, and who it was is forgotten. */
void files_drop_owner(endpoint_t owner);
void files_drop_all(void);
uint32_t files_handles(void);

struct credentials {
  uint32_t user, group;
};

/** @return 0 or -ENOMEM */
int files_set_credentials(endpoint_t owner, struct credentials who);
/** Who an endpoint is: a component is root, a program whom the process manager has said.
 * @return false: it is a program, and the process manager has not said yet */
bool files_know(endpoint_t owner, struct credentials *who);

#endif
