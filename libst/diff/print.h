/* The outcome as text for people and as JSON for programs. */
#ifndef DIFF_PRINT_H
#define DIFF_PRINT_H

#include "outcome.h"

/** @param all  also what stays as it is */
void print_text(const struct outcome *outcome, bool all);
/** @param old_path,new_path  as the user gave them; docs/st-diff.md has the schema */
void print_json(const struct outcome *outcome, const char *old_path, const char *new_path);

#endif
