/* Signals of the supervisor: read from a descriptor, passed on to the program. */
#ifndef LIBST_ALONE_SIGNALS_H
#define LIBST_ALONE_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/** Takes over all signals. @return the descriptor to poll, or a negative errno */
int signals_take(void);
/** In a child: as they were before signals_take(). */
void signals_restore(void);
void signals_block_all(void);
/** Reads what came.
 * @param program  where to pass signals on; 0: keep them for signals_pass_kept()
 * @return true when children may have changed their state */
bool signals_read(int fd, pid_t program);
/** Passes on what was kept. */
void signals_pass_kept(pid_t program);

#endif
