/* Packets of components (bus/abi.h): checked here, and taken apart into operations. */
#ifndef PROTEOS_PACKET_H
#define PROTEOS_PACKET_H

#include "bus/version.h"

/** Reads one packet of a version and does what it says. @return whether there was one */
bool packet_read(struct version *v);

/** Handles everything that a version has sent before it died. */
void packet_drain(struct version *v);

/** The version's channel is ready (loop_fn). */
void packet_ready(int fd, void *version);

#endif
