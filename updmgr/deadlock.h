/* Deadlocks of filters: a member that converges may wait for what cannot come any more, because
 * whoever could send it is held by the same update, or because its interface filter withholds it.
 */
#ifndef UPDMGR_DEADLOCK_H
#define UPDMGR_DEADLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "updmgr/member.h"

/** Looks at a member that converges. It is in a deadlock when it has done nothing since it was last
 * looked at, waits for something that an update holds back, and nothing else can reach it.
 * @param why  receives who waits for whom; "" when nothing is held back
 * @return whether it is certain */
bool deadlock_look(struct member *m, char *why, size_t cap);

#endif
