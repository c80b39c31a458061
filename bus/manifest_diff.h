/* What differs between the manifest that runs and one that is wanted, and when it takes effect. */
#ifndef PROTEOS_MANIFEST_DIFF_H
#define PROTEOS_MANIFEST_DIFF_H

#include "bus/manifest.h"

enum manifest_effect {
  EFFECT_NOW,
  EFFECT_NEXT_VERSION, /* with the component's next start or update */
  EFFECT_NEXT_START,
  EFFECT_IF_UNUSED, /* not while a component that shares it runs */
  EFFECT_IF_LEFT,   /* not while one runs that shares it and shall not any more */
  EFFECT_NEVER,     /* not while the instance runs */
};

enum manifest_change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

struct manifest_change {
  enum manifest_change_kind kind;
  const char *what; /* "", "component", "region", "wire" */
  const char *name; /* of that; "" with "" */
  const char *key;  /* CHANGED: the field */
  enum manifest_effect effect;
  const void *running, *wanted; /* its entries; NULL: there is none */
};

typedef void manifest_change_fn(void *arg, const struct manifest_change *change);

/** Calls `fn` for each difference. Both must have been checked. */
void manifest_compare(const struct manifest *running, const struct manifest *wanted,
                      manifest_change_fn *fn, void *arg);

/** Orders a manifest's components like those of the one that runs, so that each keeps its endpoint.
 * New ones follow; those that are gone keep their place, `removed`.
 * @return false when there are more than endpoints */
bool manifest_renumber(struct manifest *wanted, const struct manifest *running);

#endif
