/* What a person may order of a component, and why not. */
#ifndef PROTEOS_OPERATOR_H
#define PROTEOS_OPERATOR_H

#include <stddef.h>

#include "bus/endpoint.h"

/** Finds the component that is to be started, or stopped, or held by a debugger.
 * @param why  receives one line when that cannot be
 * @return NULL when it cannot */
struct endpoint *operator_start(const char *name, char *why, size_t cap);
struct endpoint *operator_stop(const char *name, char *why, size_t cap);
struct endpoint *operator_debug(const char *name, char *why, size_t cap);

/** Why an update keeps it from all else, to be read after its name; NULL: none does. */
const char *operator_why_not_now(const struct endpoint *e);

#endif
