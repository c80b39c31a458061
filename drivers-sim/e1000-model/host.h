/* What the device needs from its surroundings: the component's main.c gives it from libsys, the
 * unit tests from a harness. */
#ifndef PROTEOS_E1000_HOST_H
#define PROTEOS_E1000_HOST_H

#include <stdint.h>

/** Raises the interrupt line. */
void host_interrupt(void);
/** Asks for device_timer() at `at_us` (host_now_us() time); a later call replaces an earlier. */
void host_timer(uint64_t at_us);
/** Monotonic time in microseconds. */
uint64_t host_now_us(void);
/** Reports something that the driver does wrong. */
void host_complain(const char *what);

#endif
