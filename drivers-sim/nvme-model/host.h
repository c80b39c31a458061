/* What the device needs from its surroundings: the component's main.c gives it from libsys, the
 * unit tests from a harness. */
#ifndef PROTEOS_NVME_HOST_H
#define PROTEOS_NVME_HOST_H

/** Raises the interrupt. */
void host_interrupt(void);
/** Reports something that the driver does wrong. */
void host_complain(const char *what);

#endif
