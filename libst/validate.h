/* Reverse validation: the new state, transferred back, must be the old one. After "Back to the
 * Future: Fault-tolerant Live Update with Time-traveling State Transfer" (LISA 2013). */
#ifndef LIBST_VALIDATE_H
#define LIBST_VALIDATE_H

struct transfer;

/** Transfers each variable and block back into a scratch copy, by a plan made the other way round,
 * and compares: a difference is a violation. What does not come back at all is noted. To be called
 * when everything is transferred and no old place is given up yet.
 * @return 0 or -ENOMEM */
int validate(struct transfer *t);

#endif
