/* A service with state that grows: the subject of the update tests. */
#ifndef TESTS_COUNTER_H
#define TESTS_COUNTER_H

#include "libsys/interface.h"

/* COUNTER_ADD: total += amount. COUNTER_NOTE: remembers the payload, a word, under a number.
 * COUNTER_CHECK: a digest over all notes, in order. COUNTER_HOLD: is answered by the next
 * COUNTER_LET_GO, with its amount. COUNTER_BUSY: sets `num_busy`, which state filters look at. */
#define COUNTER_ADD_FIELDS(F)  F(u64, amount)
#define COUNTER_ADD_REPLY(F)   F(u64, total)
#define COUNTER_NOTE_FIELDS(F) F(u64, number)
#define COUNTER_CHECK_FIELDS(F)
#define COUNTER_CHECK_REPLY(F) F(u64, digest) F(u64, notes) F(u64, total) F(u32, version)
#define COUNTER_HOLD_FIELDS(F)
#define COUNTER_HOLD_REPLY(F)    F(u64, amount)
#define COUNTER_LET_GO_FIELDS(F) F(u64, amount)
#define COUNTER_BUSY_FIELDS(F)   F(u32, busy)
#define COUNTER_MESSAGES(M)                                                                        \
  M(COUNTER_ADD, 0xf00, counter_add, COUNTER_ADD_FIELDS, COUNTER_ADD_REPLY)                        \
  M(COUNTER_NOTE, 0xf01, counter_note, COUNTER_NOTE_FIELDS, IPC_NO_FIELDS)                         \
  M(COUNTER_CHECK, 0xf02, counter_check, COUNTER_CHECK_FIELDS, COUNTER_CHECK_REPLY)                \
  M(COUNTER_HOLD, 0xf03, counter_hold, COUNTER_HOLD_FIELDS, COUNTER_HOLD_REPLY)                    \
  M(COUNTER_LET_GO, 0xf04, counter_let_go, COUNTER_LET_GO_FIELDS, IPC_NO_FIELDS)                   \
  M(COUNTER_BUSY, 0xf05, counter_busy, COUNTER_BUSY_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(counter, COUNTER_MESSAGES)

#endif
