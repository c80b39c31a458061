/* The record of a transaction (proto/journal.proto): for the journal and for the client. */
#ifndef UPDMGR_RECORD_H
#define UPDMGR_RECORD_H

#include "journal.pb-c.h"
#include "updmgr/transaction.h"

/* What they mean is said there. */
enum outcome {
  OUTCOME_BEGUN = PROTEOS__TRANSACTION__OUTCOME__BEGUN,
  OUTCOME_DONE = PROTEOS__TRANSACTION__OUTCOME__DONE,
  OUTCOME_REFUSED = PROTEOS__TRANSACTION__OUTCOME__REFUSED,
  OUTCOME_ROLLED_BACK = PROTEOS__TRANSACTION__OUTCOME__ROLLED_BACK,
  OUTCOME_ABANDONED = PROTEOS__TRANSACTION__OUTCOME__ABANDONED,
  OUTCOME_TRIED = PROTEOS__TRANSACTION__OUTCOME__TRIED,
  OUTCOME_TAKEN_BACK = PROTEOS__TRANSACTION__OUTCOME__TAKEN_BACK,
};

/** A transaction begins: gives it a number and writes that down. */
void record_begin(struct transaction *t);

/** It is over: writes down all of it, and ends the conversation with its client.
 * @param reason  of anything but OUTCOME_DONE; "" */
void record_end(const struct transaction *t, enum outcome outcome, int status, const char *reason);

/** A probation is over: adds to the journal when it has failed. @param id  of the transaction
 * @param passed  the new versions stay
 * @param who     the component that died, if not */
void record_probation(uint64_t id, bool passed, endpoint_t who);

/** A request was refused: the same for what never became a transaction. */
void record_refused(client_t client, const struct member_list *members, int status,
                    const char *reason);

#endif
