/* Tracing: every message as an event, for those who subscribed over the control socket. A reader
 * that is slow loses events, and is told how many; it never slows the bus. Call these only while
 * bus.tracing is set. */
#ifndef PROTEOS_TRACE_H
#define PROTEOS_TRACE_H

#include <stddef.h>

#include "bus/endpoint.h"

/** @param filters  "COMPONENT", "COMPONENT:MESSAGE" or ":MESSAGE"; busd looks at the component
 * only, the reader knows the messages' names. None: everything.
 * @param text      receives why it is refused
 * @return 0, -ENOENT: no such component, or -EMFILE: too many readers */
int trace_subscribe(int fd, char *const *filters, size_t nfilters, char *text, size_t cap);
void trace_unsubscribe(int fd);

void trace_request(const struct request *r);
void trace_reply(const struct request *r, const msg_t *reply);
void trace_notify(const struct endpoint *from, const struct endpoint *to, uint64_t bits);
void trace_delivery(const struct endpoint *to, const msg_t *m);
void trace_kernel(const struct version *v, const msg_t *m);

#endif
