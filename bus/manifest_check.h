/* What the schema of system.yaml cannot say. */
#ifndef PROTEOS_MANIFEST_CHECK_H
#define PROTEOS_MANIFEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "bus/manifest.h"

/** Fills in defaults, makes paths absolute, finds the executables, and checks names, references,
 * rights, regions, wires and the call graph.
 * @param path     of the manifest; relative paths start at its directory
 * @param problem  receives one line when it returns false */
bool manifest_check(struct manifest *m, const char *path, char *problem, size_t cap);

#endif
