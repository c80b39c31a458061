/* Starting a process from a descriptor: the only fork of an instance. */
#ifndef PROTEOS_SPAWN_H
#define PROTEOS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers that a process may get its descriptors under lie below; until then they are kept above.
 */
#define SPAWN_SLOTS_END 512

struct spawn {
  int exe_fd;
  int log_fd;          /* becomes standard output and error */
  char *const *argv;   /* ended by NULL */
  const int *fds;      /* descriptors that it gets ... */
  const int *fd_slots; /* ... and the numbers that it gets them under */
  unsigned nfds;
  uint64_t cpus;  /* affinity, one bit a CPU; 0 = the caller's */
  uint32_t flags; /* enum loader_spawn_flags */
};

/** Starts a process that has exactly these descriptors (and an empty standard input), an empty
 * environment, and that dies with its parent. Does not wait for its exec: a process that is stopped
 * before it gets there holds up nobody.
 * @param report  receives the end of a pipe, the caller's, for spawn_failure()
 * @return the process id, or a negative errno */
pid_t spawn(const struct spawn *s, int *report);

/** Whether a process, of which the exit is known, ended before it ran its executable.
 * @param text  receives what failed and why */
bool spawn_failure(int report, char *text, size_t cap);

#endif
