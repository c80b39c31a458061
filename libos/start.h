/* What this process is: as the process manager told it at its start. */
#ifndef PROTEOS_OS_START_H
#define PROTEOS_OS_START_H

#include <stdbool.h>
#include <stdint.h>

struct process_self {
  bool managed; /* by the process manager; the rest means nothing otherwise */
  int32_t pid, parent;
  uint32_t user, gid;
};
extern struct process_self self;

/** Variables in which the library tells itself in a child what has no place in a message. */
#define VARIABLE_UMASK "UMASK"    /* octal */
#define VARIABLE_NULL  "NULL_FDS" /* descriptors that are /dev/null, as bits, hexadecimal */

#endif
