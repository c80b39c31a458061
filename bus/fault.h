/* Orders at fault points (libst/fault.h), given by prctl fault. */
#ifndef PROTEOS_BUS_FAULT_H
#define PROTEOS_BUS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "control.pb-c.h"

/** Opens the page, if the instance was booted with faults; comes before anything takes the number
 * LOADER_FAULT_FD, and after self_init(). */
void fault_init(bool update);
/** The page's descriptor, or -1. */
int fault_page_fd(void);

/** Carries out a request.
 * @param fd  the client, which gets what it asked to see
 * @param why,cap  receives a refusal, for people
 * @return 1 when the client was answered; 0 or a negative errno when it is still to be */
int fault_request(int fd, const Proteos__FaultRequest *r, char *why, size_t cap);

#endif
