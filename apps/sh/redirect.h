/* Where the descriptors of a command lead. */
#ifndef SH_REDIRECT_H
#define SH_REDIRECT_H

#include <stdbool.h>

#include "apps/sh/parse.h"
#include "libos/os.h"

/* Numbers that commands can use; the shell's own descriptors are beyond them. */
enum { PLUMBING_NUMBERS = 10 };

struct plumbing {
  int at[PLUMBING_NUMBERS]; /* by number in the command: a descriptor here; -1: closed */
  bool ours[OS_FDS_MAX];    /* opened for this command */
};

/** Takes note of what the shell was given, before it opens anything. */
void plumbing_init(void);
/** Moves a new descriptor of the shell's beyond the numbers of commands.
 * @return the new number, or -1: it is closed then */
int plumbing_own(int fd);
/** A pipe for the shell: [0] is its reader. @return false when there is none; a message was printed
 */
bool plumbing_pipe(int ends[2]);
/** As in the shell. */
void plumbing_start(struct plumbing *p);
/** Opens what the redirections say. @return false when one failed; a message was printed */
bool plumbing_redirect(struct plumbing *p, const struct redirection *redirections);
/** Makes number `fd` lead to `to`, which is closed by plumbing_end(). */
void plumbing_put(struct plumbing *p, int fd, int to);
/** Closes what was opened. */
void plumbing_end(struct plumbing *p);
/** @param list  room for PLUMBING_NUMBERS @return how many there are for os_spawn() */
unsigned plumbing_list(const struct plumbing *p, struct os_spawn_fd *list);

/** Makes the shell's own descriptors those of the plumbing; `saved` keeps what they were. */
bool plumbing_enter(const struct plumbing *p, int saved[PLUMBING_NUMBERS]);
void plumbing_leave(int saved[PLUMBING_NUMBERS]);

#endif
