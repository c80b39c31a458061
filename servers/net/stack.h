/* lwIP without threads: its start, its clock, its randomness, and its timers. */
#ifndef NET_STACK_H
#define NET_STACK_H

/** Bit of SYS_KERNEL's notifications that belongs to the stack's one alarm. */
#define STACK_ALARM_BIT 0

void stack_init(void);
/** The alarm has rung: runs what is due. */
void stack_run_timers(void);
/** Delivers what was sent to ourselves, and sets the alarm if it is to ring earlier than set. */
void stack_settle(void);
/** Rings at once: there is work left for the next turn. */
void stack_again(void);

#endif
