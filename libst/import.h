#ifndef LIBST_IMPORT_H
#define LIBST_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

/** After st_import() and before st_commit(): makes a pointer that the old version kept outside of
 * its memory (in the kernel) one of this version's.
 * @param name  of what points there, for the violation
 * @return false when there is no counterpart; a violation is then in the import's report */
bool import_pointer(uint64_t *pointer, const char *name);

/** Gives back what an import needed; not before the new version serves again. */
void import_release(void);

#endif
