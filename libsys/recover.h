/* Crash recovery (`recover: state`), seen from the process that may die and from its successor. */
#ifndef LIBSYS_RECOVER_H
#define LIBSYS_RECOVER_H

/** Puts the state where it outlives the process. Ends the process when that cannot be. */
void recover_prepare(void);
/** Has the bus keep what a successor needs, if that has changed. To be called between messages. */
void recover_offer(void);

/** Successor: takes the state over. Does not return when that is refused. */
void recover_become(void);

#endif
