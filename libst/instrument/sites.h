/* Allocation sites: calls in the source matched with calls in the machine code. */
#ifndef INSTRUMENT_SITES_H
#define INSTRUMENT_SITES_H

#include "array.h"
#include "objects.h"
#include "types.h"
#include "units.h"

#include <stdbool.h>

struct site {
  char *file; /* as the unit names its own, or absolute */
  const char *function;
  unsigned line, column;
  type_ref type;                  /* 0: untyped, for `reason` */
  bool flexible, caller, unsized; /* as the flags of struct st_site */
  const char *reason;
};

struct site_range {
  uint64_t lo, hi; /* return addresses (lo, hi] */
  size_t site;
};

struct sites {
  ARRAY(struct site) items;
  ARRAY(struct site_range) ranges; /* by address */
};

/** Finds the sites, and marks allocator wrappers in `objects`. Warns of calls whose block will
 * have no type although the source gives it one. */
struct sites *sites_find(const struct exe *exe, struct objects *objects, const struct units *units,
                         struct types *types);
void sites_free(struct sites *sites);

#endif
