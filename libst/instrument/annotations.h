/* Annotations of the program (libst/annotate.h), with the types that they name. */
#ifndef INSTRUMENT_ANNOTATIONS_H
#define INSTRUMENT_ANNOTATIONS_H

#include "array.h"
#include "exe.h"
#include "types.h"

struct annotation {
  uint32_t target, kind; /* as in struct st_annotation */
  const char *scope, *name, *argument, *unit, *file;
  unsigned line;
  type_ref type, operand;
};

struct annotations {
  ARRAY(struct annotation) items;
};

/** Reads the annotations and refers to their types; strings live as long as `exe`. Ends the program
 * when a record is damaged or a type is not to be found. What names types, members and variables is
 * checked when it is applied (libst/annotation.h). */
struct annotations *annotations_read(const struct exe *exe, struct types *types);
void annotations_free(struct annotations *annotations);

#endif
