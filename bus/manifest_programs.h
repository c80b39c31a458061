/* Places for programs that are started while the instance runs (`programs:`). */
#ifndef PROTEOS_MANIFEST_PROGRAMS_H
#define PROTEOS_MANIFEST_PROGRAMS_H

#include "bus/manifest.h"
#include "bus/manifest_source.h"

/** Checks the entry, while the manifest has only the components that the file names. */
void manifest_check_programs(const struct manifest *m, struct manifest_source *s);

/** Adds the places behind the components: nobody can name them. What cannot be added is a problem
 * that manifest_check_programs() has told. */
void manifest_add_programs(struct manifest *m, struct manifest_source *s);

#endif
