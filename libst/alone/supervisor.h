/* The supervisor: the process that the user started and knows. It runs the program in a child,
 * passes signals on, ends as the program ends, and replaces the child by one of a new version. */
#ifndef LIBST_ALONE_SUPERVISOR_H
#define LIBST_ALONE_SUPERVISOR_H

#include <stdbool.h>

/* Environment: how a version is to start, as PID:CHANNEL:PAGE:WAKE[:OLD-EXE:STATE]; and "no". */
#define ST_START     "ST_START"
#define ST_SUPERVISE "ST_SUPERVISE"

/** Makes this process the supervisor of a child that goes on from here.
 * @param argv  of later versions; borrowed
 * @param channel,page,wake  receive the child's descriptors
 * @return true in the child; false in this process when it cannot be the supervisor (printed), it
 * then stays the program. In the supervisor it does not return. */
bool supervise_self(char **argv, int *channel, int *page, int *wake);
/** The same for a program that is still to be executed; returns only when it cannot be.
 * @return an exit status; printed */
int st_supervise(char **argv);

#endif
