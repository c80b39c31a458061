/* busd's own update: what the old busd does, and what the new one does before it serves. busd is
 * the last member of a transaction to freeze, and its endpoint is SYS_KERNEL. The loader replaces
 * the process (bus/handover.h); all that waits for busd meanwhile lies in its sockets, which both
 * busds hold. */
#ifndef PROTEOS_SELF_H
#define PROTEOS_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/loader_proto.h"

/* ---- both ---- */

/** Makes this process's memory state that can be handed over; comes before all that allocates.
 * @param update  of a new version, whose state comes later */
void self_init(bool update);
/** Moves a descriptor that is no state out of the way of those that are. @return its new number */
int self_keep(int fd);
/** For KERN_INFO and status. */
int self_exe(void);
const char *self_build_id(void);

/* ---- old version ---- */

/** KERN_LOAD of SYS_KERNEL. @param exe  taken over
 * @param options  for the new version, as they are
 * @return -EINPROGRESS (um is answered when the process runs), -EBUSY, or another negative errno */
int self_load(int exe, const void *options, uint32_t options_bytes);
/** KERN_ABORT: the new version is killed. */
void self_abort(void);
/** Process id of a new version that can be committed to, or a negative errno. */
int32_t self_next(void);
/** The new version's id in LOADER_HOLD. */
uint32_t self_next_id(void);

/** What the loader says of the new version. Messages of another one are ignored. */
void self_spawned(const struct loader_msg *m);
void self_reported(const struct loader_msg *m, const char *text);
void self_exited(const struct loader_msg *m);
/** LOADER_HELD: hands over once the loop has come to its end, which self_is_held() then says. */
void self_held(void);
bool self_is_held(void);
/** LOADER_THAW */
void self_thawed(void);

/** Between two runs of the loop: exports the state, and waits. If the update commits the process is
 * killed in here; it returns when the update is off. */
void self_hand_over(void);

/* ---- new version ---- */

/** Takes the old version's state and checks it, asks the loader to commit, and returns when this
 * process is busd. Otherwise it does not return. */
void self_become(void);
/** Whether the loader has still to decide. */
bool self_is_frozen(void);
/** LOADER_ACTIVATE: this process is busd. */
void self_activated(void);
/** Writes back a slice of the imported heap. @return whether there is more to do */
bool self_write_back(void);

#endif
