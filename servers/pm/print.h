/* The process table for people: prctl ps. */
#ifndef PM_PRINT_H
#define PM_PRINT_H

#include "servers/pm/process.h"

/** BUS_TABLE. */
void print_table(const msg_t *m);

#endif
