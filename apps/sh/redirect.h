/* Where the descriptors of a command lead. */
#ifndef SH_REDIRECT_H
#define SH_REDIRECT_H

#include <stdbool.h>

#include "apps/sh/parse.h"
#include "libos/os.h"

struct plumbing {
  int at[OS_FDS_MAX];    /* by number in the command: a descriptor of the shell's; -1: closed */
  bool ours[OS_FDS_MAX]; /* opened for this command */
};

/** As in the shell: 0, 1 and 2. */
void plumbing_start(struct plumbing *p);
/** Opens what the redirections say. @return false when one failed; a message was printed */
bool plumbing_redirect(struct plumbing *p, const struct redirection *redirections);
/** Makes number `fd` lead to `to`, which is closed by plumbing_end(). */
void plumbing_put(struct plumbing *p, int fd, int to);
/** Closes what was opened. */
void plumbing_end(struct plumbing *p);
/** @param list  room for OS_FDS_MAX @return how many there are for os_spawn() */
unsigned plumbing_list(const struct plumbing *p, struct os_spawn_fd *list);

/** Makes the shell's own descriptors those of the plumbing; `saved` keeps what they were. */
bool plumbing_enter(const struct plumbing *p, int saved[OS_FDS_MAX]);
void plumbing_leave(int saved[OS_FDS_MAX]);

#endif
