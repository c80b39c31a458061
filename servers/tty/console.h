/* The console: the line discipline between keyboard and screen, its handles, and who waits for it.
 */
#ifndef TTY_CONSOLE_H
#define TTY_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/if/tty.h"
#include "libsys/msg.h"

/** Before anything else. */
void console_init(void);
/** Whether what a crash has left can be right. */
bool console_is_sound(void);
/** Modes as they are at first, and nothing typed. */
void console_begin_session(void);

const struct tty_modes *console_modes(void);
/** @param drop  also what was typed and not read */
void console_set_modes(const struct tty_modes *modes, bool drop);

/** Gives a handle of it. @return 0: too many */
uint32_t console_open(endpoint_t owner);
/** Ends one, if it is there; its waits end with -EBADF. */
bool console_close(endpoint_t owner, uint32_t handle);
/** An endpoint is gone, with all its handles and waits. */
void console_drop_owner(endpoint_t owner);

/** Answers a read or write of a handle that exists, or lets it wait.
 * @param wait  whether it may. @param data  m->payload bytes, at least one */
void console_read(const msg_t *m, uint32_t handle, uint32_t max, bool wait);
void console_write(const msg_t *m, uint32_t handle, const void *data, bool wait);
/** Which events there are, enum io_event. */
uint32_t console_events(void);

/** Moves on whatever waits; once a turn. */
void console_settle(void);

#endif
