/* One update, as the supervisor leads it. */
#ifndef LIBST_ALONE_TRANSACTION_H
#define LIBST_ALONE_TRANSACTION_H

#include <stdint.h>

#include "libst/alone/version.h"

enum phase {
  PHASE_NONE,
  PHASE_PREPARING,    /* the old version looks whether it can be updated */
  PHASE_LOADING,      /* the new version starts and plans */
  PHASE_CONVERGING,   /* the old version becomes quiescent */
  PHASE_TRANSFERRING, /* it is frozen; the new version imports and checks */
};

struct transaction {
  enum phase phase;
  unsigned number;
  uint64_t deadline_ms; /* of the phase, CLOCK_MONOTONIC */
  unsigned timeout_ms;
  int client; /* -1: nobody is connected */
  int state;  /* the next version's end of the state channel, until it has it */
  Proteos__Alone *request;
  struct version next;
};

struct program {
  struct start_kit kit;
  struct version current;
  char *component; /* NULL until it has said hello */
  char *unable;    /* why it cannot be updated, or NULL */
  struct transaction update;
};

uint64_t now_ms(void);

/** A client's packet has come. */
void transaction_client(struct program *p);
/** A message of the current or the next version. */
void transaction_current(struct program *p, struct message *in);
void transaction_next(struct program *p, struct message *in);
/** The next version has ended, and said nothing that ended the update. */
void transaction_next_ended(struct program *p, int status);
/** Ends the update if its deadline has passed; wakes a program that sleeps.
 * @return milliseconds until it should be called again, -1 = never */
int transaction_tick(struct program *p);
/** True while signals must wait for whichever version goes on. */
bool transaction_frozen(const struct program *p);

#endif
