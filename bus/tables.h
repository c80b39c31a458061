/* Whether busd's tables are sound: asked in a new version of busd before it takes over. */
#ifndef PROTEOS_TABLES_H
#define PROTEOS_TABLES_H

#include <stddef.h>

/** Checks that what the tables say in two places is the same: versions and their endpoints,
 * requests and the queues that they are in, tokens, counters, and what the event loop looks at.
 * @param why  receives the first contradiction
 * @return 0 or -EINVAL */
int tables_check(char *why, size_t cap);

#endif
