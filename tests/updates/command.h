/* What `update-pair` tells a version to do, over the socket that is its standard input: one letter,
 * with a descriptor where the command needs one. Each is answered by a `struct reply`. */
#ifndef TESTS_UPDATES_COMMAND_H
#define TESTS_UPDATES_COMMAND_H

#include <stdint.h>

#include "libst/st.h"

enum command {
  COMMAND_BUILD = 'b',
  COMMAND_PREPARE = 'p', /* descriptor: state channel */
  COMMAND_EXPORT = 'x',
  COMMAND_CANCEL = 'c',
  COMMAND_PLAN = 'l',   /* descriptor: the old version's executable */
  COMMAND_IMPORT = 'i', /* descriptor: state channel */
  COMMAND_COMMIT = 'm', /* and write back */
  COMMAND_VERIFY = 'v',
};

struct reply {
  int err;
  long resident_kb;
  long heap_top;           /* pages of the heap */
  uint64_t from_ns, to_ns; /* when it ran, CLOCK_MONOTONIC */
  struct st_report report;
};

#endif
