/* The plan of an update that was tried, as st-diff prints it. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "control.pb-c.h"

/** Prints what an update would do to a component's data.
 * @param status  of the instance, while the version to be replaced runs
 * @param file    the new version's executable; borrowed; -1: the one that runs */
void plan_print(const char *component, const Proteos__ControlReply *status, int file);

#endif
