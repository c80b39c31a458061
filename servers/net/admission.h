/* Bounds on what strangers can make the stack hold.
 *
 * Debian's lwIP takes its control blocks from the heap without a limit and does not count a
 * listener's waiting connections, so attempts to connect are looked at before lwIP sees them. One
 * that finds no room is dropped, and the peer tries again: a full queue delays, it does not refuse.
 */
#ifndef NET_ADMISSION_H
#define NET_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#define ADMISSION_HALF_OPEN_MAX 128  /* connections whose handshake is not finished */
#define ADMISSION_BLOCKS_MAX    1024 /* control blocks of connections, closing ones included */
#define ADMISSION_TIME_WAIT_MAX 128  /* of connections that only wait for stray segments */

/** @param frame  an Ethernet frame, @param length in bytes
 *  @return false for an attempt to connect that there is no room for. */
bool admission_allows(const void *frame, size_t length);

#endif
