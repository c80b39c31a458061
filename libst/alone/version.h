/* A version of the program, as its supervisor sees it. */
#ifndef LIBST_ALONE_VERSION_H
#define LIBST_ALONE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "libst/alone/message.h"

struct version {
  pid_t pid; /* 0: there is none */
  int channel;
  int exe; /* -1 until it is known */
  bool stopped;
};

/* What all versions of one program start with. */
struct start_kit {
  char **argv;
  int page, wake;
  struct attention *attention;
};

/** Forks. In the child: signals are as the supervisor found them, it dies with the supervisor, and
 * `channel` is its own end. @return as fork() */
pid_t version_fork(struct version *out, int *channel);
/** Executes `exe` (or searches for argv[0], if -1) in a child that was forked.
 * @return an errno */
int version_execute(const struct start_kit *kit, int exe, int channel, int old_exe, int state);
/** Starts the next version with what the current one is besides its memory.
 * @param process  of the current version, with its descriptors
 * @return 0 or a negative errno */
int version_start_next(const struct start_kit *kit, const struct version *current,
                       struct version *next, int state, struct message *process);
/** Kills it, unless it has ended, and forgets it; waits until it is gone. */
void version_kill(struct version *v);
/** Names what of a version's process differs from this one's, so that a next one would not be like
 * it: users, namespaces, root directory. @return false when there is nothing */
bool version_differs(const struct version *v, char *text, size_t cap);

/** Closes all descriptors from 3 on but these. */
void close_others(int *keep, size_t count);

#endif
