/* The manifest that a command is about. */
#ifndef CLI_MANIFEST_PLACE_H
#define CLI_MANIFEST_PLACE_H

#include <limits.h>
#include <stdbool.h>

struct manifest;

/** Makes a manifest's name absolute.
 * @param file  NULL: the default, system.yaml of the build tree or of the installation
 * @return false, after a message, when there is no such file */
bool manifest_place_find(const char *file, char path[PATH_MAX]);

/** Loads and checks a manifest, and prints every problem, one a line.
 * @return owned by the caller (manifest_free()); NULL when there are any */
struct manifest *manifest_load_and_print(const char *path);

#endif
