/* Requests to storage that name files by path. */
#ifndef PROTEOS_OS_PATH_H
#define PROTEOS_OS_PATH_H

#include <stddef.h>

#include "libsys/if/fs.h"
#include "libsys/msg.h"

/** Sends a request whose payload is `path`. All such requests have their directory at the same
 * place; it is filled in. If storage was restarted meanwhile, once more from a reopened working
 * directory. @return 0, or -1 with errno set */
int path_ask(msg_t *m, uint32_t *dir, const char *path, void *in, size_t in_cap);

struct stat;
void path_stat_convert(const struct fs_stat *from, struct stat *to);

#endif
