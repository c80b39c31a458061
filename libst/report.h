/* Lines of a struct st_report. */
#ifndef LIBST_REPORT_H
#define LIBST_REPORT_H

#include <stdbool.h>

struct st_report;

/** Adds a reason to refuse. `report` may be NULL. */
void report_violation(struct st_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Adds a decision worth knowing. */
void report_note(struct st_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Adds what is allowed but hardly meant; a violation when the update is strict. */
void report_warning(struct st_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Has every line of every report from now on told to `each` as well, also those that a report cuts
 * off; `text` is the line without its kind. */
void report_observe(void (*each)(void *data, bool violation, const char *text), void *data);

#endif
