/* What a conversion asks of the values that it finds. */
#ifndef DIFF_CONDITIONS_H
#define DIFF_CONDITIONS_H

#include "outcome.h"

/** All conditions of a program, elements of arrays included; none when it is NULL or refused. */
struct conditions conditions_of(const struct program *program);
void conditions_free(struct conditions *conditions);

/** Pointers in an object. */
size_t pointers_in(const struct program *program);

#endif
