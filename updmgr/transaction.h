/* The update transaction: one update of one or several components; all commit, or none.
 *
 * A state machine over events. At most one runs at a time. um may be a member itself: it converges
 * last, by its own order to commit, and what comes after the commit is done by its new version. */
#ifndef UPDMGR_TRANSACTION_H
#define UPDMGR_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "updmgr/client.h"
#include "updmgr/member.h"

enum phase {
  PHASE_IDLE,
  PHASE_LOADING,      /* new versions start and plan; old versions prepare */
  PHASE_CONVERGING,   /* members reach quiescence one after the other, callers first */
  PHASE_TRANSFERRING, /* all are frozen; some new versions still import */
  PHASE_COMMITTING,   /* ordered of the bus, which now decides; um converges by that order */
  PHASES,
};

/* What is asked of an update beside its members. */
struct transaction_options {
  struct limits limits;
  bool dry_run;          /* to load and to plan, and then to undo it */
  uint32_t probation_ms; /* how long the old versions are kept after the commit; 0: not at all */
};

struct transaction {
  enum phase phase;
  uint64_t id; /* of this or the last transaction; never reused */
  client_t client;
  struct member_list members; /* in the order of freezing */
  struct transaction_options options;
  uint64_t number;      /* in the journal */
  uint64_t started_s;   /* since 1970 */
  uint64_t started_us;  /* bus time */
  uint64_t deadline_us; /* of the running phase; 0: none */
  struct {
    uint64_t began_us, took_us; /* from the start; both 0: it did not come to that */
  } times[PHASES];
};

/** Begins an update. All members must have passed member_check().
 * @param members  moved into the transaction; empty afterwards
 * @param options  copied. What its limits do not say comes from the members, of which the longest
 *                 counts, or from `defaults` */
void transaction_begin(client_t client, struct member_list *members,
                       const struct transaction_options *options, const struct limits *defaults);
bool transaction_running(void);

/* Events. Those that do not concern the running transaction are ignored. */

/** A member's old or new version reports a phase. @param pid  of the process that reports
 * @param text  may be "" */
void transaction_reported(endpoint_t ep, int pid, enum update_phase phase, int status,
                          const char *text);
/** A process ended. @param is_new  it was a new version, or else the one that served
 * @param wait_status  as from waitpid() */
void transaction_exited(endpoint_t ep, bool is_new, int pid, int wait_status);
/** The outcome of the commit that was ordered: 0, or why the bus refused it. */
void transaction_committed(uint64_t id, int status);
/** The client is gone. */
void transaction_client_gone(client_t client);
/** The alarm TRANSACTION_ALARM went off: a phase has taken too long. */
void transaction_time_out(void);
/** The alarm TRANSACTION_MAXTIME went off: the whole update has. */
void transaction_maxtime(void);
/** The alarm TRANSACTION_LOOK went off: is the member that converges in a deadlock? */
void transaction_look(void);

/* Bits of um's alarms. */
#define TRANSACTION_ALARM   0u
#define TRANSACTION_LOOK    1u
#define TRANSACTION_MAXTIME 2u

#endif
