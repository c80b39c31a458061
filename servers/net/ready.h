/* Readiness: events noted for each socket, told to owners and to those who wait for an answer.
 *
 * lwIP's callbacks only note what happened; ready_settle() acts on it once a turn, so that nothing
 * is called back into lwIP from its own callbacks, and many events cost one notification. */
#ifndef NET_READY_H
#define NET_READY_H

#include "servers/net/table.h"

/** @param bits  enum sock_event_bit */
void ready_raise(struct socket *s, unsigned bits);
/** Answers waiting requests and notifies owners. */
void ready_settle(void);
/** Answers SOCK_POLL with up to `max` events, which are thereby cleared.
 * @return false when there are none; nothing is answered then. */
bool ready_answer_poll(struct owner *o, uint64_t token, uint32_t max);

#endif
