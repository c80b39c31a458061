/* What a manifest gives a component, as a list that its needs are compared with (bus/needs.h). */
#ifndef PROTEOS_GRANTS_H
#define PROTEOS_GRANTS_H

#include "bus/manifest.h"
#include "bus/needs.h"

/** @return the list's length; what does not fit is left out */
size_t grants_list(const struct manifest *m, const struct manifest_component *c,
                   char list[NEEDS_GIVEN_MAX]);

/** Whether a component is given what its executable needs. @param why  receives what is missing */
bool grants_suffice(const struct manifest *m, const struct manifest_component *c, char *why,
                    size_t cap);
/** The same of another executable. @param subject  what it is called in `why` */
bool grants_suffice_for(const struct manifest *m, const struct manifest_component *c, int exe,
                        const char *subject, char *why, size_t cap);

#endif
