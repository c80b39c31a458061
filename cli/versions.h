/* Finding executables of new versions. */
#ifndef CLI_VERSIONS_H
#define CLI_VERSIONS_H

/** Opens the executable `file`: below the instance's root first, then on the host.
 * @return a descriptor, or a negative errno; -EISDIR: it is no regular file */
int version_open(const char *root, const char *file);

#endif
