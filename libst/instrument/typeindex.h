/* The types of a compilation unit by key (see ctype.h). */
#ifndef INSTRUMENT_TYPEINDEX_H
#define INSTRUMENT_TYPEINDEX_H

#include <elfutils/libdw.h>

struct typeindex;

/** Indexes the types of a unit; `unit` must outlive the index. */
struct typeindex *typeindex_new(Dwarf_Die *unit);
void typeindex_free(struct typeindex *index);

enum typeindex_result {
  TYPEINDEX_NONE,
  TYPEINDEX_FOUND,
  TYPEINDEX_SEVERAL, /* two functions may each have their own struct of one name */
};
enum typeindex_result typeindex_find(const struct typeindex *index, const char *key,
                                     Dwarf_Die *type);

#endif
