/* The plan of an update that was tried, as st-diff prints it. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

/** Prints what an update would do to a component's data.
 * @param running  path of the version that runs
 * @param file     the new version's executable; borrowed; -1: the one that runs */
void plan_print(const char *component, const char *running, int file);

#endif
