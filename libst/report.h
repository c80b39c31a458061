/* Lines of a struct st_report. */
#ifndef LIBST_REPORT_H
#define LIBST_REPORT_H

struct st_report;

/** Adds a reason to refuse. `report` may be NULL. */
void report_violation(struct st_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Adds a decision worth knowing. */
void report_note(struct st_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
