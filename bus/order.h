/* The order of delivery among components by their priorities (bus/schedule.h). Without a scheduler
 * each gets what is pending at once. With one, deliveries wait until the end of the event loop's
 * turn, and then go to the highest priority first; and requests wait in an inbox by their callers'
 * priorities, each overtaken by a bounded number of others, so that none starves. The answer to a
 * sendrec, for which its caller does nothing but wait, is handed over at once. */
#ifndef PROTEOS_ORDER_H
#define PROTEOS_ORDER_H

#include <stdbool.h>

#include "bus/endpoint.h"

/** How many requests may go before one that came earlier. */
#define ORDER_OVERTAKEN_MAX 16u

/** From now on there are priorities; not any more. */
void order_begin(void);
void order_end(void);
/** Whether a delivery to it waits for the end of the turn; it is noted then. */
bool order_defers(const struct endpoint *e);
/** Whether deliveries wait at all. */
bool order_waits(void);
/** Puts a request into the inbox. */
void order_enqueue(struct endpoint *callee, struct request *r);

#endif
