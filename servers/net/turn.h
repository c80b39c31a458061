/* What ends every turn of the event loop. */
#ifndef NET_TURN_H
#define NET_TURN_H

/** Frames in, segments out, waiting requests answered, owners and the driver told, the alarm set.
 */
void turn_end(void);

#endif
