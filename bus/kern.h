/* Kernel calls: what a component asks of the bus itself (enum kern_call). */
#ifndef PROTEOS_KERN_H
#define PROTEOS_KERN_H

#include "bus/version.h"

/** Serves one. The answer goes out at once, except those of load and commit.
 * @param fds   that came along; those taken over are removed from the list
 * @param nfds  how many; updated */
void kern_call(struct version *v, const msg_t *m, const void *payload, int *fds, unsigned *nfds);

/** Answers a version whose kernel call took time, if it still waits. */
void kern_answer(struct version *v, uint32_t type, int status, const msg_t *m);

#endif
