/* The variables and functions of a plan: which of the new version's they are, and why not. */
#ifndef LIBST_PLAN_PAIR_H
#define LIBST_PLAN_PAIR_H

#include "libst/plan.h"

/** Pairs them by name; needs the plan's programs. @return 0 or -ENOMEM */
int plan_pair(struct plan *plan);
void plan_pair_free(struct plan *plan);
/** The counterpart of an old variable, or NULL, also when it is doubtful. */
const struct st_variable *plan_counterpart(const struct plan *plan, const struct st_variable *old);
/** Why a variable's counterpart is doubtful, and what helps: "may be `n` of a.c or ...".
 * @return `out` */
const char *plan_variable_doubt(const struct plan *plan, const struct st_variable *old, char *out,
                                size_t cap);
/** Does each new variable that an old one may be keep its own value? */
bool plan_doubt_is_settled(const struct plan *plan, const struct st_variable *old);

#endif
