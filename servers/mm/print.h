/* Areas and grants for people: prctl mem. */
#ifndef MM_PRINT_H
#define MM_PRINT_H

#include "libsys/msg.h"

/** BUS_TABLE. */
void print_table(const msg_t *m);

#endif
