/* Tasks for people: prctl sched. */
#ifndef SCHED_PRINT_H
#define SCHED_PRINT_H

#include <stdint.h>

#include "libsys/msg.h"

/** BUS_TABLE. @param ticks  that there were */
void print_table(const msg_t *m, uint64_t ticks);

#endif
