/* Live update of a program that stands alone: any single-threaded, event-driven C program.
 *
 *   int main(int argc, char **argv) {
 *     st_startup(&argc, &argv);
 *     if (!st_restored()) init();
 *     for (;;) {
 *       st_update_point();
 *       ... wait for events and handle them ...
 *     }
 *   }
 *
 * `st-update PID NEW-EXECUTABLE` then replaces the program while it runs. docs/standalone.md says
 * what carries over and what is refused. Not for components of Proteos: there libsys does this. */
#ifndef LIBST_ALONE_H
#define LIBST_ALONE_H

#include <stdbool.h>
#include <sys/types.h>

/** The first statement of main(). The process that was started becomes the supervisor, which keeps
 * its process id, passes signals on and ends with the program's exit status; the program goes on in
 * a child. Under st-run, that is the supervisor. In a new version, returns when the old one's state
 * is here and live; if the update fails before, does not return.
 * With ST_SUPERVISE=no in the environment the program stays in its process and cannot be updated.
 * @param argc,argv  main()'s; as they were at the first start */
void st_startup(int *argc, char ***argv);

/** Did this process get its state from an old version? */
bool st_restored(void);

/** Where the program can be replaced: between two rounds of its event loop, never below a function
 * of a library. Calls that are deeper in the stack than another one are no update points. Costs
 * some ten instructions while no update is wanted. */
void st_update_point(void);

/** A descriptor that becomes readable when st_update_point() should be called: for the poll set of
 * the event loop, to be looked at for input, and not to be read or closed. Part of the state: the
 * same number in every version.
 * Without it an update wakes the program by SIGURG, which interrupts poll() and its like.
 * @return the descriptor, or -1 with errno set */
int st_update_fd(void);

/** The process id that st-update takes: the supervisor's, the same over updates; that of this
 * process when there is none. For PID files. */
pid_t st_pid(void);

#endif
