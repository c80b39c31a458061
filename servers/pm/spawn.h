/* How a process comes to be. Its place is taken first; then each server of a handle that it
 * inherits is asked to make it one of its own, one after the other, and the file server told who it
 * is; then it is started, and once it calls PROC_BEGIN both it and its parent are answered. So it
 * finds everything there, and nothing can be made for one that has gone already. */
#ifndef PM_SPAWN_H
#define PM_SPAWN_H

#include "servers/pm/process.h"

/** @param per_user  processes that a user other than root may have; 0: any number */
void spawn_init(uint32_t per_user);

/** PROC_SPAWN. @param payload  m->payload bytes */
void spawn_request(const msg_t *m, const void *payload);
/** PROC_BEGIN. */
void spawn_begin(const msg_t *m);
/** It has begun: another version has answered it, whose state is lost. One that this version has
 * given up before it knew that stays as it is, and ends. */
void spawn_has_begun(struct process *p);

/** A server has answered. */
void spawn_answered(const msg_t *m);

/** The program will not begin any more: it is to end, or has ended. Its parent is told so.
 * @param error  a negative errno */
void spawn_abort(struct process *p, int error);
void spawn_free(struct process *p);

#endif
