/* The executable of a process that runs. */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include <limits.h>

/** A path to what a process runs: its name, unless that is another file by now, or none, or it runs
 * a sealed copy; then its link in /proc.
 * @param name  as the instance knows it */
void running_executable(int pid, const char *name, char path[PATH_MAX]);

#endif
