/* The record of a transaction (proto/journal.proto): for the journal and for the client. */
#ifndef UPDMGR_RECORD_H
#define UPDMGR_RECORD_H

#include "updmgr/transaction.h"

enum outcome {
  OUTCOME_BEGUN,
  OUTCOME_DONE,        /* the new versions run */
  OUTCOME_REFUSED,     /* before anything started */
  OUTCOME_ROLLED_BACK, /* the old versions go on */
  OUTCOME_ABANDONED,   /* an old version died: there was none to go back to */
  OUTCOME_TRIED,       /* a dry run came to its end */
  OUTCOME_TAKEN_BACK,  /* a new version died on probation: the old ones have taken over */
};

/** A transaction begins: gives it a number and writes that down. */
void record_begin(struct transaction *t);

/** It is over: writes down all of it, and ends the conversation with its client.
 * @param reason  of anything but OUTCOME_DONE; "" */
void record_end(const struct transaction *t, enum outcome outcome, int status, const char *reason);

/** Its new versions are on probation: keeps its record, to add to the journal how that ends. */
void record_keep(const struct transaction *t);

/** A probation is over. @param id  of the transaction
 * @param passed  the new versions stay
 * @param who     the component that died, if not */
void record_probation(uint64_t id, bool passed, endpoint_t who);

/** A request was refused: the same for what never became a transaction. */
void record_refused(client_t client, const struct member_list *members, int status,
                    const char *reason);

#endif
