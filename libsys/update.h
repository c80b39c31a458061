/* This component's own live update, seen from the old version and from the new one. */
#ifndef LIBSYS_UPDATE_H
#define LIBSYS_UPDATE_H

#include <stdbool.h>

#include "bus/abi.h"
#include "libsys/channel.h"

/* ---- new version ---- */

/** Pairs, imports, checks, reports, and waits until this version is live. Returns after commit;
 * does not return when the update is refused. */
void update_become(void);

/* ---- old version ---- */

/** Handles BUS_CTL_PREPARE, CONVERGE and THAW. Takes the channel's descriptor from `in`. */
void update_control(struct channel_in *in);

/** To be called at each entry to sys_receive(): while converging, evaluates the state filter.
 * @param top_level  whether the component is in its event loop, not in a nested wait
 * @return when the component is not to be frozen, or was thawed */
void update_point(bool top_level);

/* ---- either ---- */

/** Whether imported state is left to be written back to the shared heap. */
bool update_unwritten(void);
/** Writes back a slice of it. */
void update_writeback(void);

#endif
