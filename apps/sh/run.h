/* Running commands: no fork here. Programs are spawned; what has to run in a shell of its own is
 * given to one as text. */
#ifndef SH_RUN_H
#define SH_RUN_H

#include "apps/sh/parse.h"

/** Runs a tree. @return its status, which is $? too */
int run(const struct node *node);

#endif
