/* A device model's side of the simulated hardware interface (hw.h, libsys/if/device.h): what is
 * alike in all models. The component defines the model_ functions. */
#ifndef PROTEOS_HW_MODEL_H
#define PROTEOS_HW_MODEL_H

#include <stdint.h>

#include "libsys/msg.h"

/* The device, as a driver sees it. Any register may be asked for. */
uint32_t model_read(uint32_t reg);
void model_write(uint32_t reg, uint32_t value);
/** The doorbell: registers may have been written. */
void model_doorbell(void);

/** Handles a message of the driver's, and answers any other request with -ENOSYS. Those of
 * SYS_KERNEL are the component's own affair. */
void hw_model_serve(const msg_t *m);

/** Raises the interrupt of whoever used the device last. */
void hw_model_interrupt(void);

/** Maps the region `<device>.<part>`.
 * @param least  bytes that are needed
 * @param bytes  receives how many there are
 * @return NULL after saying in the log what is wrong */
void *hw_model_region(const char *device, const char *part, uint32_t least, uint32_t *bytes);

#endif
