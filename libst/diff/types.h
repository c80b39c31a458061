/* The structs and unions that both versions have, member by member. */
#ifndef DIFF_TYPES_H
#define DIFF_TYPES_H

#include "outcome.h"

/** Adds all that the variables and blocks of an outcome consist of and lead to. */
void types_collect(struct outcome *outcome);
void types_free(struct outcome *outcome);

/** What a program does to its objects. */
enum fate fate_of(const struct program *program);

#endif
