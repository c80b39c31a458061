/* The text of a manifest: where something stands in it, and problems told with that place.
 *
 * A place is a path of keys and positions, "components/2/calls/0/to"; where the file has no such
 * place, that of its nearest ancestor is meant. */
#ifndef PROTEOS_MANIFEST_SOURCE_H
#define PROTEOS_MANIFEST_SOURCE_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <yaml.h>

#include "bus/manifest.h"

struct manifest_source {
  const char *path;
  manifest_report_fn *report;
  void *arg;
  unsigned problems; /* told so far */
  bool parsed;       /* else it is no YAML, and has no places */
  yaml_document_t document;
};

/** Reads the file, which need not be readable or right. manifest_source_close() ends it. */
void manifest_source_open(struct manifest_source *s, const char *path, manifest_report_fn *report,
                          void *arg);
void manifest_source_close(struct manifest_source *s);

/** Reports a problem as "FILE: line N: ...". @param line  0: none can be given */
void manifest_problem_at(struct manifest_source *s, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The same at a place. */
void manifest_problem(struct manifest_source *s, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** Makes a place. @return static storage, valid until the next call */
const char *manifest_place(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Whether the file itself says 0 at exactly this place. */
bool manifest_says_zero(const struct manifest_source *s, const char *place);

/** Reports every key that the schema does not have. */
void manifest_check_keys(struct manifest_source *s, const cyaml_schema_value_t *schema);

#endif
