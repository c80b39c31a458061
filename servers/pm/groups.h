/* Process groups. */
#ifndef PM_GROUPS_H
#define PM_GROUPS_H

#include "servers/pm/caller.h"

/** PROC_SET_GROUP. */
void groups_set(const msg_t *m);
/** PROC_MEMBERS. */
void groups_count(const msg_t *m);

/** Whether a caller may put a process of its own into a group: root into any that is there, others
 * into those of their own processes. */
bool groups_may_join(const struct caller *c, int32_t group);

#endif
