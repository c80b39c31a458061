/* What a version of net does with the state it was given, before its update commits. */
#ifndef NET_VERSION_H
#define NET_VERSION_H

#include "libsys/sys.h"

/** Live-update handler: memory only. @return 0, or a negative value to refuse the update. */
int net_live_update(const sys_init_t *info);

#endif
