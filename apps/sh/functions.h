/* Functions (POSIX, Shell Command Language, 2.9.5). They are kept as text, which is what a shell of
 * its own for ( ) or a part of a pipeline needs of them, and parsed when they are called. */
#ifndef SH_FUNCTIONS_H
#define SH_FUNCTIONS_H

#include <stdbool.h>

#include "apps/sh/text.h"

/** @param body  a compound command, as written, with its here-documents */
void function_define(const char *name, const char *body);
void function_unset(const char *name);
bool function_exists(const char *name);
/** Runs one with argv[1] and so on as its arguments. @return its status */
int function_call(char *const *argv);
/** Calls `found` for each name. */
void functions_each(void (*found)(const char *name, void *arg), void *arg);
/** Adds commands that define all of them. */
void functions_write(struct text *text);

#endif
