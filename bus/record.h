/* The commit record: the one place where an update transaction is decided. */
#ifndef PROTEOS_RECORD_H
#define PROTEOS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/loader_proto.h"

enum record_state {
  RECORD_EMPTY,     /* no transaction, or the last one is over */
  RECORD_COMMITTED, /* decided; busd has not acknowledged yet */
};

struct record {
  enum record_state state;
  struct loader_msg activate; /* txid, members and deadline, as sent to busd */
};

/** Decides: writes COMMITTED when the deadline has not passed and every new process is able to
 * go on.
 * @param now_us  CLOCK_MONOTONIC
 * @return true when committed; repeated for the same transaction it stays so */
bool record_commit(struct record *r, const struct loader_msg *commit, uint64_t now_us);

/** busd has rebound all endpoints of `txid`. */
void record_acknowledge(struct record *r, uint64_t txid);

#endif
