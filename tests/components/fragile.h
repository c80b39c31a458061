/* A service that can be broken in many ways: the subject of the tests of recovery. */
#ifndef TESTS_FRAGILE_H
#define TESTS_FRAGILE_H

#include "libsys/interface.h"

/* FRAGILE_ADD adds a note with an amount, and is answered like FRAGILE_CHECK. FRAGILE_BREAK adds
 * one, too, and then breaks: see enum way_to_break. FRAGILE_HOLD is answered by FRAGILE_LET_GO.
 * FRAGILE_CALL asks its peer for what that does not answer. FRAGILE_ALARM sets an alarm.
 * FRAGILE_SHARE maps the region, and counts messages there, which is `shared` in answers.
 * FRAGILE_RESIST decides what the recover handler will do. */
#define FRAGILE_ADD_FIELDS(F) F(u64, amount)
#define FRAGILE_NO_FIELDS(F)
#define FRAGILE_CHECK_REPLY(F)                                                                     \
  F(u64, total)                                                                                    \
  F(u32, notes) F(u32, recoveries) F(u32, alarms) F(u32, lost) F(u32, version) F(u32, shared)
#define FRAGILE_BREAK_FIELDS(F)  F(u64, how)
#define FRAGILE_ALARM_FIELDS(F)  F(u64, ms)
#define FRAGILE_RESIST_FIELDS(F) F(u64, how)
#define FRAGILE_MESSAGES(M)                                                                        \
  M(FRAGILE_ADD, 0xd00, fragile_add, FRAGILE_ADD_FIELDS, FRAGILE_CHECK_REPLY)                      \
  M(FRAGILE_CHECK, 0xd01, fragile_check, FRAGILE_NO_FIELDS, FRAGILE_CHECK_REPLY)                   \
  M(FRAGILE_BREAK, 0xd02, fragile_break, FRAGILE_BREAK_FIELDS, FRAGILE_NO_FIELDS)                  \
  M(FRAGILE_HOLD, 0xd03, fragile_hold, FRAGILE_NO_FIELDS, FRAGILE_NO_FIELDS)                       \
  M(FRAGILE_LET_GO, 0xd04, fragile_let_go, FRAGILE_NO_FIELDS, FRAGILE_NO_FIELDS)                   \
  M(FRAGILE_CALL, 0xd05, fragile_call, FRAGILE_NO_FIELDS, FRAGILE_NO_FIELDS)                       \
  M(FRAGILE_ALARM, 0xd06, fragile_alarm, FRAGILE_ALARM_FIELDS, FRAGILE_NO_FIELDS)                  \
  M(FRAGILE_SHARE, 0xd07, fragile_share, FRAGILE_NO_FIELDS, FRAGILE_NO_FIELDS)                     \
  M(FRAGILE_RESIST, 0xd08, fragile_resist, FRAGILE_RESIST_FIELDS, FRAGILE_NO_FIELDS)
IPC_INTERFACE(fragile, FRAGILE_MESSAGES)

enum way_to_break {
  BREAK_CRASH,   /* a null pointer */
  BREAK_HANG,    /* an endless loop */
  BREAK_POINTER, /* a variable that points nowhere, then a crash */
  BREAK_HEAP,    /* a wild write into the heap's records, then a crash */
  BREAK_FREE,    /* many blocks freed that the allocator holds back, then a crash */
  BREAK_CALL,    /* a call to the peer, then a crash in the same message */
  BREAK_LATER,   /* from an alarm's handler, the first time that it runs */
};

enum resistance { RESIST_NOT, RESIST_REFUSE, RESIST_CRASH, RESIST_HANG };

#endif
