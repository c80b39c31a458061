/* The end of processes: zombies, orphans, and those who wait for them. */
#ifndef PM_ENDING_H
#define PM_ENDING_H

#include "servers/pm/process.h"

/** PROGRAM_ENDED: also of programs that no process is known of.
 * @param m  its payload is why the executable could not be run, if so */
void ending_program_ended(const msg_t *m);
/** A process that has not been started is no more: its place is given back. */
void ending_without_run(struct process *p);

/** PROGRAM_LOOK_AGAIN: compares the table with the bus's places. */
void ending_look_again(void);

/** PROC_WAIT. */
void ending_wait(const msg_t *m);
/** Looks whether its PROC_WAIT can be answered now. */
void ending_look(struct process *parent);
/** Ends its PROC_WAIT with -EINTR. */
void ending_interrupt_wait(struct process *p);

/** Ends every program that there is, after a restart of the process manager. */
void ending_all(void);

#endif
