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

/* Longest time for each phase, in milliseconds. */
struct transaction_limits {
  uint32_t load_ms, converge_ms, transfer_ms;
};

/** Begins an update. All members must have passed member_check().
 * @param members  moved into the transaction; empty afterwards
 * @param limits   copied; members may have a converge_ms of their own, of which the longest counts
 */
void transaction_begin(client_t client, struct member_list *members,
                       const struct transaction_limits *limits);
bool transaction_running(void);

/* Events. Those that do not concern the running transaction are ignored. */

/** A member's old or new version reports a phase. @param pid  of the process that reports
 * @param text  may be "" */
void transaction_reported(endpoint_t ep, int pid, enum update_phase phase, int status,
                          const char *text);
/** A process ended. @param wait_status  as from waitpid() */
void transaction_exited(endpoint_t ep, int pid, int wait_status);
/** The outcome of the commit that was ordered: 0, or why the bus refused it. */
void transaction_committed(uint64_t id, int status);
/** The client is gone. */
void transaction_client_gone(client_t client);
/** The alarm TRANSACTION_ALARM went off. */
void transaction_time_out(void);

#define TRANSACTION_ALARM 0u /* bit of um's alarm for the running phase */

#endif
