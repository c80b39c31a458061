/* Explicit initialisers, three ways: what the old executable began with, what the old version made
 * of it, and what the new executable begins with. */
#ifndef LIBST_INITIAL_H
#define LIBST_INITIAL_H

#include <stdbool.h>

#include "libst/transfer.h"

enum initial_change {
  INITIAL_SAME, /* or neither version has one */
  INITIAL_CHANGED,
  INITIAL_GAINED,
  INITIAL_LOST,
  INITIAL_UNKNOWN, /* both have one, but in other layouts, or with pointers */
};

/** How a variable's initialiser in the executables differs; the pair has both variables. */
enum initial_change initial_compare(const struct plan *plan, const struct st_variable *old,
                                    const struct variable_pair *pair);
/** Reads the old executable's initialised data. @return 0 or -ENOMEM */
int initial_load(struct transfer *t);
/** Makes it what the old version's dynamic linker made of it; the old images are known. */
void initial_relocate(struct transfer *t);
/** Does the variable hold anything but what it began with? */
bool initial_changed(const struct transfer *t, const struct st_variable *old,
                     const unsigned char *value);
/** Decides whether the variable takes the new version's initialiser, because it still has the old
 * one's; reports what deserves it.
 * @return false when the value is to be carried over */
bool initial_keep(struct transfer *t, const struct st_variable *old,
                  const struct variable_pair *pair, const unsigned char *value, const char *name);

#endif
