/* The proof after a transfer: by this build's metadata alone, every typed pointer in variables and
 * heap blocks lands in a live object. It knows nothing of how the transfer came to its result. */
#ifndef LIBST_PROOF_H
#define LIBST_PROOF_H

struct st_meta;
struct st_report;

/** Compiles what is to be looked at, before the old version is quiescent.
 * @param meta  this build's, annotated; borrowed until proof_free()
 * @return 0 or -ENOMEM */
int proof_prepare(const struct st_meta *meta);
/** Checks; adds a violation for each pointer that lands nowhere. */
void proof_run(struct st_report *report);
void proof_free(void);

#endif
