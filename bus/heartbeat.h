/* Heartbeats: a component that is given something must come back to the bus within the time that
 * its manifest entry says (heartbeat_ms).
 *
 * Time is counted in ticks, a few to a heartbeat, during which busd itself runs: a component is not
 * blamed for what has happened to busd. */
#ifndef PROTEOS_HEARTBEAT_H
#define PROTEOS_HEARTBEAT_H

#include <stdint.h>

struct endpoint;

/** What an endpoint's heartbeat was like when it was last looked at. */
struct heartbeat {
  uint64_t at_us;     /* of the next tick; 0 = none: it has no heartbeat, or is not up */
  uint32_t exchanges; /* of its live version, at the last tick */
  uint32_t silent;    /* ticks since then in which nothing was exchanged */
};

/** Its live version is up. */
void heartbeat_start(struct endpoint *e);
/** It has none. */
void heartbeat_stop(struct endpoint *e);
/** Looks after an idle version, ends one that hangs. @return when to look again, or UINT64_MAX */
uint64_t heartbeat_expire(struct endpoint *e, uint64_t now_us);

#endif
