/* Bytes received and not yet taken by the application: a ring that grows up to the TCP window.
 *
 * Copying out of lwIP's buffers bounds what a peer can make us hold: a window's worth of bytes, not
 * a window's worth of one-byte buffers. */
#ifndef NET_INBOX_H
#define NET_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#define INBOX_MAX_BYTES 65536u

struct inbox;

/** @return an empty inbox without a buffer yet, or NULL for lack of memory. */
struct inbox *inbox_new(void);
/** Accepts NULL. */
void inbox_free(struct inbox *in);
/** Bytes inside. */
uint32_t inbox_used(const struct inbox *in);
/** Makes room for `bytes` more.
 * @return false when that is more than INBOX_MAX_BYTES altogether, or memory is lacking. */
bool inbox_reserve(struct inbox *in, uint32_t bytes);
/** Appends; room must have been reserved. */
void inbox_put(struct inbox *in, const void *data, uint32_t bytes);
/** Copies the oldest bytes out and drops them. @return how many, at most `max`. */
uint32_t inbox_take(struct inbox *in, void *out, uint32_t max);

#endif
