/* Watches: a bit of SYS_KERNEL that is set when a descriptor of the component is ready. They belong
 * to the endpoint; busd keeps its own duplicate of the descriptor. */
#ifndef PROTEOS_WATCH_H
#define PROTEOS_WATCH_H

#include <stdint.h>

struct endpoint;

/** Watches the component's descriptor `number`, of which `fd` is a duplicate, taken over. Replaces
 * its earlier watch.
 * @return 0, -EINVAL, -EBUSY (the bit is another descriptor's), or why it can't be watched */
int watch_start(struct endpoint *e, int number, int fd, uint32_t events, uint32_t bit);
/** @return 0, or -ENOENT: it was not watched */
int watch_end(struct endpoint *e, int number);
void watch_end_all(struct endpoint *e);
/** The component was told of these bits. */
void watch_delivered(struct endpoint *e, uint64_t bits);
/** It has come back to receive: arms again what it was told of. */
void watch_rearm(struct endpoint *e);

#endif
