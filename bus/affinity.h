/* On which CPUs a process may run: sets of the first 64, one bit each. */
#ifndef PROTEOS_AFFINITY_H
#define PROTEOS_AFFINITY_H

#include <stdint.h>
#include <sys/types.h>

/** Those of the caller. */
uint64_t affinity_get(void);

/** @param pid  0 = the caller
 * @return 0 or a negative errno */
int affinity_set(pid_t pid, uint64_t cpus);

#endif
