/* Names of files that match a pattern (POSIX, 2.13). In patterns a backslash takes the meaning of
 * what follows. */
#ifndef SH_GLOB_H
#define SH_GLOB_H

#include <stdbool.h>

#include "apps/sh/expand.h"

/** Whether it has anything to match: *, ? or [ without a backslash. */
bool glob_special(const char *pattern);
/** Whether a text is as a pattern says, all of it. */
bool glob_matches(const char *pattern, const char *text);
/** Takes the backslashes away, in place. */
void glob_unescape(char *pattern);
/** Adds the paths that match, in the order of their bytes; none if there is none. */
void glob_expand(const char *pattern, struct fields *fields,
                 void (*add)(struct fields *fields, char *path));

#endif
