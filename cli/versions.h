/* Finding executables of new versions. */
#ifndef CLI_VERSIONS_H
#define CLI_VERSIONS_H

#include <limits.h>

/** Opens the executable `file`: below the instance's root first, then on the host.
 * @param path  receives where it was looked for last
 * @return a descriptor, or a negative errno; -EISDIR: it is no regular file */
int version_open(const char *root, const char *file, char path[PATH_MAX]);

#endif
