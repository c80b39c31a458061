/* Updates, as busd sees them: loading a second version, holding the first, and passing the endpoint
 * from one to the other. What to do when is um's business (updmgr/); what decides is the loader's
 * record. */
#ifndef PROTEOS_UPDATE_H
#define PROTEOS_UPDATE_H

#include "bus/endpoint.h"
#include "bus/loader_proto.h"

/** KERN_LOAD. @param e  NULL: unknown
 * @param exe      taken over
 * @param filter   for the old version
 * @param options  for the new version, as they are
 * @return -EINPROGRESS (um is answered when the process runs), -ENOENT, -EBUSY, -SYS_EDEADSRCDST
 * ... */
int update_load(struct endpoint *e, int exe, const char *filter, const void *options,
                uint32_t options_bytes);
/** The loader's answer for a version that is not live. */
void update_spawned(struct version *v, int error);

/** KERN_CONVERGE. @param allow  the interface filter, struct bus_step; `bytes` of it
 * @return 0, -ENOENT, or -EINVAL: no update is loaded */
int update_converge(struct endpoint *e, const void *allow, uint32_t bytes);
/** Ends a version that no endpoint needs any more. */
void update_retire(struct version *old);
/** Sends a message to um, if it lives. @param payload  m->payload bytes */
void update_tell_um(const msg_t *m, const void *payload);
/** Answers um's KERN_LOAD. */
void update_answer_load(int error, const msg_t *m);

/** KERN_REPORT of either version; passed on to um. */
int update_report(struct version *v, enum update_phase phase, int status, const char *text,
                  uint32_t bytes);
/* How long um may take, if it is a member: it converges by the order to commit. */
struct commit_limits {
  uint32_t converge_ms, transfer_ms;
  uint32_t probation_ms; /* after the commit; 0: none */
};

/** KERN_COMMIT: um is told the outcome later. @return 0, or why these members are not ready */
int update_commit(uint64_t txid, const endpoint_t *members, uint32_t n,
                  const struct commit_limits *limits);
/** Gives up a commit whose last members take too long. @return when to look again */
uint64_t update_expire(uint64_t now_us);
/** Moves that by as long as the clocks stood still (bus/debug.h). */
void update_delay(uint64_t stopped_us, uint64_t now_us);
/** The loader has decided: all members' endpoints pass to their new versions. Idempotent. */
void update_activate(const struct loader_msg *m);
/** It has decided against it. @param status  why, a negative errno */
void update_refused(uint64_t txid, int status);
/** In a new version of busd, which has the order to commit in its state: asks the loader to. */
int update_ask(void);
/** Tells um the time-outs that the manifest has now. */
void update_tell_time_outs(void);

/** Is this endpoint part of a transaction? */
bool update_involves(const struct endpoint *e);
/** Is this endpoint part of a transaction that the loader is deciding? */
bool update_is_deciding(const struct endpoint *e);

/** KERN_ABORT: kills the new version, if any, and lets the old one go on.
 * @return 0, -ENOENT, or -EBUSY: the loader is deciding */
int update_abort(struct endpoint *e);
int update_abort_self(void);
void update_abort_all(void);

/** A version has died: um is told. When it is um itself that has died, all updates are off. */
void update_live_exited(struct endpoint *e, const struct version *v, int wait_status);
void update_next_exited(struct endpoint *e, const struct version *v, int wait_status);

#endif
