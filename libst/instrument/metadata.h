/* The section being put together. */
#ifndef INSTRUMENT_METADATA_H
#define INSTRUMENT_METADATA_H

#include "annotations.h"
#include "exe.h"
#include "objects.h"
#include "sites.h"
#include "types.h"

struct metadata_input {
  const struct exe *exe;
  const char *component;
  const char *const *libraries; /* NULL-terminated */
  const struct objects *objects;
  const struct sites *sites;
  const struct annotations *annotations;
  struct types *types;
};

/** Finishes the types and lays out the section. Ends the program when an annotation is wrong.
 * @param bytes  receives its length
 * @return the section, to be freed by the caller. */
void *metadata_build(const struct metadata_input *input, size_t *bytes);

#endif
