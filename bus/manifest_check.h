/* What the schema of system.yaml cannot say. */
#ifndef PROTEOS_MANIFEST_CHECK_H
#define PROTEOS_MANIFEST_CHECK_H

#include "bus/manifest.h"
#include "bus/manifest_source.h"

/** Fills in defaults, makes paths absolute, finds the executables, and checks names, references,
 * rights, system calls, regions, wires and the call graph.
 * @param source  relative paths start at its directory; receives every problem */
void manifest_check(struct manifest *m, struct manifest_source *source);

#endif
