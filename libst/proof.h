/* The proof after a transfer: by this build's metadata alone, every typed pointer in variables and
 * heap blocks lands in a live object. It knows nothing of how the transfer came to its result. */
#ifndef LIBST_PROOF_H
#define LIBST_PROOF_H

struct st_report;

/** Compiles what is to be looked at, before the old version is quiescent. @return 0 or -ENOMEM */
int proof_prepare(void);
/** Checks; adds a violation for each pointer that lands nowhere. */
void proof_run(struct st_report *report);
void proof_free(void);

#endif
