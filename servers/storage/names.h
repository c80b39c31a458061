/* What is done to names: making, removing, renaming and linking files and directories. Each either
 * does all of it or nothing; if something fails in the middle the volume fails. */
#ifndef PROTEOS_STORAGE_NAMES_H
#define PROTEOS_STORAGE_NAMES_H

#include "servers/storage/path.h"

/* All return 0 or a negative errno, -EEXIST if the place is taken where it must be free. */

/** @param mode  type and permissions. @param ino  the file that was made */
int names_make_file(const struct place *at, struct credentials who, uint32_t mode, uint32_t *ino);
int names_make_dir(const struct place *at, struct credentials who, uint32_t mode);
/** @param text  what it says, NUL-terminated */
int names_make_link(const struct place *at, struct credentials who, const char *text);
/** @param directory  whether it must be one, or must not */
int names_remove(const struct place *at, struct credentials who, bool directory);
int names_link(const struct place *from, const struct place *to, struct credentials who);
int names_rename(const struct place *from, const struct place *to, struct credentials who);

#endif
