/* The other side of the tests of the bus's errors. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "libsys/interface.h"

/* PEER_HOLD is not answered until PEER_ANSWER_HELD, whose status is the result of that sys_reply();
 * it may be asked again, to answer again. PEER_DROP_HELD answers it without asking what came of
 * that. PEER_DIE crashes the peer, PEER_HANG makes it loop forever. */
#define PEER_NO_FIELDS(F)
#define PEER_MESSAGES(M)                                                                           \
  M(PEER_ECHO, 0xe00, peer_echo, PEER_NO_FIELDS, PEER_NO_FIELDS)                                   \
  M(PEER_HOLD, 0xe01, peer_hold, PEER_NO_FIELDS, PEER_NO_FIELDS)                                   \
  M(PEER_ANSWER_HELD, 0xe02, peer_answer_held, PEER_NO_FIELDS, PEER_NO_FIELDS)                     \
  M(PEER_DIE, 0xe03, peer_die, PEER_NO_FIELDS, PEER_NO_FIELDS)                                     \
  M(PEER_HANG, 0xe04, peer_hang, PEER_NO_FIELDS, PEER_NO_FIELDS)                                   \
  M(PEER_DROP_HELD, 0xe05, peer_drop_held, PEER_NO_FIELDS, PEER_NO_FIELDS)
IPC_INTERFACE(peer, PEER_MESSAGES)

#endif
