/* What DWARF says the executable consists of: variables, functions, inlined calls. */
#ifndef INSTRUMENT_OBJECTS_H
#define INSTRUMENT_OBJECTS_H

#include "array.h"
#include "exe.h"
#include "types.h"

#include <stdbool.h>

struct object_variable {
  const char *name, *file, *function; /* function: "" at file scope */
  uint64_t address, size;
  uint64_t type_bytes;
  uint32_t flags; /* enum st_variable_flags */
  const char *note;
  type_ref type;
  struct declared {
    const char *file;
    unsigned line, column; /* clang says no column */
  } declared;
  uint32_t nth, of; /* as in struct st_variable */
};

struct object_function {
  const char *name, *file;
  Dwarf_Die die;
  uint64_t address, size;
  uint32_t flags; /* enum st_function_flags */
};

/** Code of a function, which may be in several parts. */
struct object_code {
  uint64_t low, high;
  Dwarf_Die function;
};

struct objects {
  ARRAY(uint64_t) refused_at; /* addresses of data in other languages */
  ARRAY(struct object_code) code;
  ARRAY(struct object_variable) variables; /* by address */
  ARRAY(struct object_function) functions; /* by address */
};

/** Walks all compilation units, and refers to the types of what it finds and to the program's own
 * enumerations; offers what structs and unions are defined. Strings live as long as `exe`. */
struct objects *objects_read(const struct exe *exe, struct types *types);
/** Adds a variable that an update must refuse, for `note`; its type is not known.
 * objects_sort() must follow. Strings must live as long as `objects`. */
void objects_add_refused(struct objects *objects, const char *name, const char *file,
                         const char *function, const char *note);
/** Puts variables and functions in the order of their addresses, one record for each, and numbers
 * statics of one name in one function. */
void objects_sort(struct objects *objects);
/** The instance of a function that an address is in, or NULL. */
Dwarf_Die *objects_function_at(const struct objects *objects, uint64_t address);
void objects_free(struct objects *objects);

#endif
