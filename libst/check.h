/* Checks: conditions that the user of an update gives, on the state before and after it. */
#ifndef LIBST_CHECK_H
#define LIBST_CHECK_H

struct plan;
struct st_options;
struct st_report;
struct transfer;

/** Compiles the checks of an update. Those that are wrong are violations.
 * @return 0 or -ENOMEM */
int checks_plan(const struct st_options *options, const struct plan *plan,
                struct st_report *report);
/** Evaluates those without old(...) on the frozen old state.
 * @return 0, or a negative errno; those that are false are violations */
int checks_before(struct transfer *t);
/** Evaluates all on this process's state. */
void checks_after(struct transfer *t, struct st_report *report);
void checks_free(void);

#endif
