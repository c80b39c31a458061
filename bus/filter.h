/* The coarse system call filter: the security boundary of a component from its first instruction
 * on. (libsys adds a tight one later; filters only ever add up.) It denies what reaches beyond the
 * process: sockets, processes, signals to others, tracing, writing opens, mounts, and the like. */
#ifndef PROTEOS_FILTER_H
#define PROTEOS_FILTER_H

/** Compiles the filter, once, before the first fork.
 * @return 0 or a negative errno */
int filter_compile(void);

/** Confines the calling process, for good. It needs no_new_privs. Denied calls fail with EPERM, the
 * x32 ABI kills.
 * @return 0 or a negative errno */
int filter_apply(void);

#endif
