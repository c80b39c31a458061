/* Compilation units: where an executable's DWARF and its sources meet. */
#ifndef INSTRUMENT_UNITS_H
#define INSTRUMENT_UNITS_H

#include "commands.h"
#include "exe.h"
#include "source.h"
#include "typeindex.h"

#include <stdbool.h>

struct unit {
  Dwarf_Die die;
  char *file; /* absolute */
  const char *directory;
  /* Calls that were merged show: the compiler marks them, or was told not to merge. */
  bool merges_show;
  ARRAY(struct source *) sources; /* one for each command that may have made it, if it parses */
  bool has_command;
  struct typeindex *types;
};

struct units {
  ARRAY(struct unit) items;
};

/** Finds the units of an executable and parses their sources. Warns of each that does not parse. */
struct units *units_read(const struct exe *exe, const struct commands *commands);
void units_free(struct units *units);
/** Index of the unit that a DIE is in, or -1. */
int units_index(const struct units *units, Dwarf_Die *die);

#endif
