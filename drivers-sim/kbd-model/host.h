/* What the device needs from its surroundings: the component's main.c gives it from libsys, the
 * unit tests from a harness. */
#ifndef PROTEOS_KBD_HOST_H
#define PROTEOS_KBD_HOST_H

#include <stdint.h>

/** Raises the interrupt. */
void host_interrupt(void);
/** Asks for device_timer() at `at_us` (host_now_us() time); a later call replaces an earlier. */
void host_timer(uint64_t at_us);
/** Monotonic time in microseconds. */
uint64_t host_now_us(void);

#endif
