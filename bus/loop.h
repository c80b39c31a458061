/* The event loop: what to call when a descriptor is ready. A thin cover of libevent whose memory
 * holds nothing that the table here does not say too: a new version of busd builds it again. */
#ifndef PROTEOS_LOOP_H
#define PROTEOS_LOOP_H

#include <stdbool.h>

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fn(int fd, void *arg);
typedef void loop_turn_fn(void);

/** @return 0 or a negative errno */
int loop_init(void);
/** The same in busd itself, where the loop's table is state and what libevent opens is not. In a
 * new version, whose state has arrived, it adds what the table says. @return 0 or a negative errno
 */
int loop_start(void);
/** As if nothing had ever been added. */
void loop_deinit(void);

/** Calls `fn` whenever the descriptor is ready (level-triggered).
 * @param events  enum loop_events, or-ed
 * @param once    only the first time */
int loop_add(int fd, unsigned events, bool once, loop_fn *fn, void *arg);
/** Must come before the descriptor is closed. Nothing happens when it was not added. */
void loop_forget(int fd);
/** Whether the descriptor is looked at for `arg`. */
bool loop_has(int fd, const void *arg);

/** Calls `fn` after each turn, when all that was ready has been called; NULL: nothing. */
void loop_after_turns(loop_turn_fn *fn);

/** Runs until loop_end(), or for some turns: to be called again. */
void loop_run(void);
/** Calls for what is ready. @param wait  until something is */
void loop_once(bool wait);
void loop_end(void);

#endif
