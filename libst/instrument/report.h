/* What --report prints: all that an update will not carry over, or by words only. */
#ifndef INSTRUMENT_REPORT_H
#define INSTRUMENT_REPORT_H

#include "objects.h"
#include "sites.h"

/** Prints to standard output.
 * @param libraries  the declared state libraries, NULL-terminated */
void report_print(const struct exe *exe, const struct objects *objects, const struct sites *sites,
                  const char *const *libraries);

#endif
