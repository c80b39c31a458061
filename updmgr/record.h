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
};

/** A transaction begins: gives it a number and writes that down. */
void record_begin(struct transaction *t);

/** It is over: writes down all of it, and ends the conversation with its client.
 * @param reason  of anything but OUTCOME_DONE; "" */
void record_end(const struct transaction *t, enum outcome outcome, int status, const char *reason);

/** A request was refused: the same for what never became a transaction. */
void record_refused(client_t client, const struct member_list *members, int status,
                    const char *reason);

#endif
