/* Between a driver and a device model: what cannot be a plain load or store of shared registers.
 *
 * The model's registers (BAR 0) are the region `<device>.bar`, its DMA memory the region
 * `<device>.rings`; further regions may be DMA targets too (drivers-sim/hw.h). A posted write with
 * an effect (a doorbell) is a store followed by a notification of the model. An interrupt is a
 * notification of the driver with bit DEVICE_IRQ. Registers whose read has an effect are read by
 * DEVICE_READ. */
#ifndef PROTEOS_IF_DEVICE_H
#define PROTEOS_IF_DEVICE_H

#include "libsys/interface.h"

enum device_bit {
  DEVICE_DOORBELL = 1u << 0, /* driver to model: registers were written */
  DEVICE_IRQ = 1u << 0       /* model to driver */
};

#define DEVICE_READ_FIELDS(F)  F(x32, reg)
#define DEVICE_READ_REPLY(F)   F(x32, value)
#define DEVICE_WRITE_FIELDS(F) F(x32, reg) F(x32, value)
#define DEVICE_MESSAGES(M)                                                                         \
  M(DEVICE_READ, 0x400, device_read, DEVICE_READ_FIELDS, DEVICE_READ_REPLY)                        \
  M(DEVICE_WRITE, 0x401, device_write, DEVICE_WRITE_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(device, DEVICE_MESSAGES)

#endif
