/* Which manifest is meant when none is named. */
#ifndef CLI_MANIFEST_PLACE_H
#define CLI_MANIFEST_PLACE_H

#include <limits.h>
#include <stdbool.h>

/** Makes a manifest's name absolute.
 * @param file  NULL: the default, system.yaml of the build tree or of the installation
 * @return false, after a message, when there is no such file */
bool manifest_place_find(const char *file, char path[PATH_MAX]);

#endif
