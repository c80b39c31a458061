/* Probation: for a time after its commit, the old versions of an update are kept frozen. When one
 * of its new versions dies within that time, all old ones take over again, from the state that they
 * froze with. What they have missed is told to them as lost: calls of theirs that were answered
 * meanwhile end with SYS_ERESTARTED, as do the requests that the new versions had and owed an
 * answer; what already waited for them, and notifications, is delivered once more. Between members
 * nothing is lost: both sides of a call are as they were. */
#ifndef PROTEOS_PROBATION_H
#define PROTEOS_PROBATION_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"

/** An endpoint has just been rebound, and nothing was delivered to its new version yet.
 * @param old   its former version, kept from now on
 * @param txid  of the update: all with the same one stay or go together
 * @return false without memory; then there is no probation */
bool probation_begin(struct endpoint *e, struct version *old, uint64_t txid, uint64_t until_us);

/** Whether the endpoint's version is on probation. */
bool probation_is_on(const struct endpoint *e);
/** Milliseconds that are left of it; 0 when it is off. */
uint32_t probation_left_ms(const struct endpoint *e);
/** The same of whichever lasts longest. */
uint32_t probation_longest_ms(void);

/** A notification or system message was delivered to a version that may be on probation.
 */
void probation_delivered(struct endpoint *e, const msg_t *m);

/** The live version has died. @return true: it was on probation, and the old one has taken over */
bool probation_failed(struct endpoint *e, const char *how);
/** A version has died that is neither live nor new: if an old one is gone that was kept, there is
 * nothing to go back to, and the probation ends. */
void probation_old_exited(const struct version *v);

/** Ends those that are over. @return when the next one is, or UINT64_MAX */
uint64_t probation_expire(uint64_t now_us);
/** Moves the end of its probation, as the clocks stood still (bus/debug.h). */
void probation_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us);
/** There is none for an update, of whose members some have begun it. The old versions remain the
 * caller's. */
void probation_cancel(uint64_t txid);
/** Whether any version of an update is on it. */
bool probation_holds(uint64_t txid);
/** Tells um that there is none, though it was asked for. */
void probation_none(uint64_t txid);
/** Ends all: the instance ends. */
void probation_end_all(void);

#endif
