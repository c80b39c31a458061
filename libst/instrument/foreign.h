/* What the debug information of the C units does not describe: units in other languages, and data
 * that no unit describes. */
#ifndef INSTRUMENT_FOREIGN_H
#define INSTRUMENT_FOREIGN_H

#include "objects.h"

#include <stdbool.h>

/** The language of a unit, "C++"; NULL when it is C. */
const char *foreign_language(Dwarf_Die *unit);

/** Adds the state of a unit in another language to `objects`, refused, and its functions. Warns
 * when it holds no state: then it is ignored. objects_sort() must follow. */
void foreign_read(struct objects *objects, const struct exe *exe, Dwarf_Die *unit);

/** Adds, refused, writable data that the symbol table has and `objects`, sorted, have not: of
 * assembler units, or compiled without -g. objects_sort() must follow. */
void foreign_refuse_undescribed(struct objects *objects, const struct exe *exe);

#endif
