/* The console, between applications and the tty server: a keyboard and a screen behind a line
 * discipline (POSIX, General Terminal Interface). Its handles are those of libsys/if/io.h.
 *
 * In canonical mode input comes line by line and can be edited; reading gives at most one line.
 * Otherwise it comes as it is typed. With TTY_SIGNALS control characters send signals to the
 * foreground process group, drop what was typed, and end the waits of readers with -EINTR. A read
 * by a process of another group stops its group (SIGTTIN); the read is answered -EINTR then. */
#ifndef PROTEOS_IF_TTY_H
#define PROTEOS_IF_TTY_H

#include "libsys/if/io.h"
#include "libsys/interface.h"

enum tty_flag {
  TTY_CANONICAL = 1,   /* ICANON */
  TTY_ECHO = 2,        /* ECHO, ECHOE, ECHOK, ECHOCTL */
  TTY_SIGNALS = 4,     /* ISIG */
  TTY_CR_TO_NL = 8,    /* ICRNL: what is read */
  TTY_NL_TO_CRNL = 16, /* OPOST | ONLCR: what is written */
};

enum tty_control {
  TTY_INTERRUPT, /* ^C: SIGINT */
  TTY_QUIT,      /* ^\: SIGQUIT */
  TTY_SUSPEND,   /* ^Z: SIGTSTP */
  TTY_ERASE,     /* ^? (^H too): the last character, which may have several bytes */
  TTY_KILL,      /* ^U: the line */
  TTY_WORD,      /* ^W: the last word */
  TTY_END,       /* ^D: the end of input, or of a line without a line feed */
  TTY_LITERAL,   /* ^V: the next one means nothing special */
  TTY_CONTROLS
};

/* Payload of TTY_SET and of TTY_GET's reply. */
struct tty_modes {
  uint32_t flags;                /* enum tty_flag, or-ed */
  uint8_t control[TTY_CONTROLS]; /* by enum tty_control; 0: none */
};

/* TTY_OPEN: a handle for the console, for reading and writing.
 * TTY_SET: drop 1 also drops what was typed and not read yet.
 * TTY_SIZE: columns and rows, 0: not known. TTY_SET_SIZE sends SIGWINCH to the foreground group.
 * TTY_SET_GROUP: the foreground process group; 0: none. */
#define TTY_OPEN_FIELDS(F)
#define TTY_OPEN_REPLY(F)       F(u32, handle)
#define TTY_GET_FIELDS(F)       F(u32, handle)
#define TTY_SET_FIELDS(F)       F(u32, handle) F(u32, drop)
#define TTY_SIZE_FIELDS(F)      F(u32, handle)
#define TTY_SIZE_REPLY(F)       F(u32, columns) F(u32, rows)
#define TTY_SET_SIZE_FIELDS(F)  F(u32, handle) F(u32, columns) F(u32, rows)
#define TTY_GET_GROUP_FIELDS(F) F(u32, handle)
#define TTY_GET_GROUP_REPLY(F)  F(i32, group)
#define TTY_SET_GROUP_FIELDS(F) F(u32, handle) F(i32, group)
#define TTY_MESSAGES(M)                                                                            \
  M(TTY_OPEN, 0xb80, tty_open, TTY_OPEN_FIELDS, TTY_OPEN_REPLY)                                    \
  M(TTY_GET, 0xb81, tty_get, TTY_GET_FIELDS, IPC_NO_FIELDS)                                        \
  M(TTY_SET, 0xb82, tty_set, TTY_SET_FIELDS, IPC_NO_FIELDS)                                        \
  M(TTY_SIZE, 0xb83, tty_size, TTY_SIZE_FIELDS, TTY_SIZE_REPLY)                                    \
  M(TTY_SET_SIZE, 0xb84, tty_set_size, TTY_SET_SIZE_FIELDS, IPC_NO_FIELDS)                         \
  M(TTY_GET_GROUP, 0xb85, tty_get_group, TTY_GET_GROUP_FIELDS, TTY_GET_GROUP_REPLY)                \
  M(TTY_SET_GROUP, 0xb86, tty_set_group, TTY_SET_GROUP_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(tty, TTY_MESSAGES)

#endif
