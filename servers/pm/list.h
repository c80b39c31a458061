/* The process table, for programs and for people. */
#ifndef PM_LIST_H
#define PM_LIST_H

#include "servers/pm/process.h"

/** PROC_LIST. */
void list_answer(const msg_t *m);
/** PROGRAM_TABLE. */
void list_print(const msg_t *m);
/** PROC_GET. */
void list_get(const msg_t *m);

/** CPU time that it has used so far. */
uint64_t list_cpu_us(const struct process *p);

#endif
