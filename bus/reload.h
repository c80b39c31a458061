/* A changed manifest, applied to the running instance: all of it, or nothing. */
#ifndef PROTEOS_RELOAD_H
#define PROTEOS_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct reload;

/** Loads a manifest, checks it, compares it with the one that runs, and prepares all that may fail.
 * @param text  receives what will change, or why nothing can; one line each; the caller's to free
 * @return what reload_apply() takes, or NULL: refused, and nothing is changed */
struct reload *reload_prepare(const char *path, char **text);

/** Endpoints of components that reload_apply() will start or stop, one bit each. */
uint64_t reload_moves(const struct reload *r);

/** Applies it, at once; components start and stop in their own time. Frees it. */
void reload_apply(struct reload *r);

#endif
