/* Revocation: grants that are on their way back, and what ends with them. */
#ifndef MM_REVOKE_H
#define MM_REVOKE_H

#include "area.h"

/** Takes a grant back: at once if it is not mapped, else its holder is asked.
 * @param token  of a MEM_REVOKE to answer when it is gone; 0: none */
void revoke_grant(struct area *a, struct grant *g, uint32_t patience_ms, uint64_t token);
/** Ends an area, when all its grants are gone. @param token  of a MEM_DESTROY to answer; 0: none */
void revoke_area(struct area *a, uint32_t patience_ms, uint64_t token);
/** The holder has unmapped it. */
void revoke_released(struct area *a, struct grant *g);
/** A component has died. @param patience_ms  for the holders of its areas */
void revoke_exited(endpoint_t who, uint32_t patience_ms);
/** The alarm went off: ends holders whose deadline has passed, and sets the alarm again. */
void revoke_expire(void);

/** Bit of the alarm. */
enum { REVOKE_ALARM_BIT = 0 };

#endif
