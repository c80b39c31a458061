/* Where an instance lives, and how to reach it. */
#ifndef CLI_INSTANCE_H
#define CLI_INSTANCE_H

#include <limits.h>
#include <stdbool.h>

#define INSTANCE_DEFAULT "default"

struct instance {
  const char *name;
  char dir[PATH_MAX - 64]; /* runtime directory: control.sock, lock, log/ */
};

/** Works out an instance's runtime directory: below $PROTEOS_RUNTIME_DIR, else below
 * $XDG_RUNTIME_DIR/proteos where that can be written, else below /tmp/proteos-UID.
 * @param name  letters, digits, '-', '_' and '.', at most 31; borrowed
 * @return false, after a message, when the name will not do */
bool instance_find(struct instance *instance, const char *name);

/** Makes the runtime directory, and those above it, for their owner only.
 * @return false, after a message, when it can't be made or belongs to somebody else */
bool instance_make(const struct instance *instance);

/** Connects to the control socket. @return the socket, or -1 after a message */
int instance_connect(const struct instance *instance);

/** Takes the instance's lock, which its loader holds as long as it lives.
 * @return the descriptor, or -1: errno is EWOULDBLOCK while the instance runs */
int instance_lock(const struct instance *instance);

/** A file of the runtime directory. @return `path` */
const char *instance_path(const struct instance *instance, const char *file, char path[PATH_MAX]);

#endif
