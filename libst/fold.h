/* Notes and warnings that many data share. Those about one member of a type become one line with a
 * count, so that a report of a large heap says everything once. Violations are said one by one. */
#ifndef LIBST_FOLD_H
#define LIBST_FOLD_H

struct place;
struct transfer;

/** Notes something about a datum. @param text  what follows its name; a constant */
void fold_note(struct transfer *t, const struct place *place, const char *text);
/** The same for what is allowed but hardly meant; a violation when the update is strict. */
void fold_warning(struct transfer *t, const struct place *place, const char *text);
/** Adds them to the report. To be called once, when the transfer is over. */
void fold_report(struct transfer *t);

#endif
