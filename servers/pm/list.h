/* The process table, as programs see it. */
#ifndef PM_LIST_H
#define PM_LIST_H

#include "servers/pm/process.h"

/** PROC_LIST. */
void list_answer(const msg_t *m);
/** PROC_GET. */
void list_get(const msg_t *m);

/** What PROC_LIST tells of one. */
struct proc_info list_describe(const struct process *p);
/** CPU time that it has used so far. */
uint64_t list_cpu_us(const struct process *p);

#endif
