/* Those who wait until something is kept. */
#ifndef PROTEOS_STORAGE_SYNC_H
#define PROTEOS_STORAGE_SYNC_H

#include "libsys/msg.h"
#include "servers/storage/commit.h"

/** @return 0: it is answered when that commit is done; -ENOMEM */
int sync_add(const msg_t *m, commit_number number);
/** For the end of each turn: answers those whose commit is done. */
void sync_turn_end(void);
void sync_drop(endpoint_t ep);

#endif
