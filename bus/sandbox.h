/* What confines a component beside the system call filter: Landlock and resource limits. */
#ifndef PROTEOS_SANDBOX_H
#define PROTEOS_SANDBOX_H

#include <stdbool.h>

/** Looks what the kernel offers and opens the library folders, once, before the first fork.
 * @return 0 or a negative errno */
int sandbox_prepare(void);

/** Whether this kernel has Landlock. */
bool sandbox_has_landlock(void);

/** Confines the calling process: no new privileges, resource limits, then Landlock (read and
 * execute below the library folders, read the loader's cache and its own /proc entry), then the
 * filter.
 * @param exe_fd  the executable that it will run
 * @param step    receives a static string that names what failed
 * @return 0 or a negative errno */
int sandbox_enter(int exe_fd, const char **step);

#endif
