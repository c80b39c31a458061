/* Annotations in a plan: applied to both versions' metadata, and those of the new version also to
 * what the old one left unsaid. */
#ifndef LIBST_PLAN_ANNOTATE_H
#define LIBST_PLAN_ANNOTATE_H

#include "libst/plan.h"

struct site;

/** Replaces plan->new by an annotated copy, annotates plan->old, and gives what was renamed the
 * names of the new version. Before anything takes types from them.
 * @return 0 or a negative errno; refusals are in the report */
int plan_annotate(struct plan *plan, struct st_report *report);
/** The old type of blocks that `function` of the old version allocated, when its description says
 * `type`: an annotation may know more. */
uint32_t plan_annotated_block(const struct plan *plan, const char *function, uint32_t type);
/** May blocks of the function have a rest behind their last object? */
bool plan_is_pool(const struct plan *plan, const char *function);
/** Do the bytes of blocks of the function mean nothing? */
bool plan_is_opaque(const struct plan *plan, const char *function);
/** Will the new version's variable keep its own value? */
bool plan_keeps_own(const struct plan *plan, const struct st_variable *new);

#endif
