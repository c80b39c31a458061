/* A server of handles with nothing behind them, which counts whose they are. */
#ifndef TESTS_SHELF_H
#define TESTS_SHELF_H

#include "libsys/interface.h"

/* SHELF_OPEN: a handle for the caller, of a new object.
 * SHELF_LOOK: how many handles an endpoint has, what object is behind one of them (0: it has no
 *   such handle), and who it is as the process manager says, -1: not told.
 * SHELF_HOLD: 1: IO_DUPLICATE and FS_CREDENTIALS are answered only after SHELF_HOLD 0; 2: the next
 *   IO_DUPLICATE fails with -EMFILE. */
#define SHELF_OPEN_FIELDS(F)
#define SHELF_OPEN_REPLY(F)  F(u32, handle) F(u32, object)
#define SHELF_LOOK_FIELDS(F) F(i32, endpoint) F(u32, handle)
#define SHELF_LOOK_REPLY(F)                                                                        \
  F(u32, handles) F(u32, object) F(i32, user) F(i32, group) F(i32, foreground)
#define SHELF_HOLD_FIELDS(F) F(u32, hold)
#define SHELF_HOLD_REPLY(F)  F(u32, held)
#define SHELF_MESSAGES(M)                                                                          \
  M(SHELF_OPEN, 0xe60, shelf_open, SHELF_OPEN_FIELDS, SHELF_OPEN_REPLY)                            \
  M(SHELF_LOOK, 0xe61, shelf_look, SHELF_LOOK_FIELDS, SHELF_LOOK_REPLY)                            \
  M(SHELF_HOLD, 0xe62, shelf_hold, SHELF_HOLD_FIELDS, SHELF_HOLD_REPLY)
IPC_INTERFACE(shelf, SHELF_MESSAGES)

#endif
