/* The event loop: what to call when a descriptor is ready. A thin cover of libevent whose memory
 * holds nothing that busd's tables do not say too. */
#ifndef PROTEOS_LOOP_H
#define PROTEOS_LOOP_H

#include <stdbool.h>

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fn(int fd, void *arg);

/** @return 0 or a negative errno */
int loop_init(void);

/** Calls `fn` whenever the descriptor is ready (level-triggered).
 * @param events  enum loop_events, or-ed
 * @param once    only the first time */
int loop_add(int fd, unsigned events, bool once, loop_fn *fn, void *arg);
/** Must come before the descriptor is closed. Nothing happens when it was not added. */
void loop_forget(int fd);

/** Runs until loop_end(). */
void loop_run(void);
void loop_end(void);

#endif
