/* The hardware interface that drivers are written against: registers, DMA memory, interrupts.
 *
 * The simulated backend (hw_sim.c) talks to a device model component: registers and DMA memory are
 * shared regions, `<device>.bar`, `<device>.rings`, `<device>.frames`. A backend for real devices
 * maps the same calls to a PCI function through vfio: every register access is then one to the
 * mapped BAR, and hw_kick() does nothing.
 *
 * The handle is a plain value in the driver's state. It keeps its meaning over updates of the
 * driver, because mappings keep their addresses. */
#ifndef PROTEOS_HW_H
#define PROTEOS_HW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers-sim/dma.h"
#include "libsys/msg.h"

struct hw {
  uint32_t *bar;
  uint32_t bar_bytes;
  endpoint_t model;
  bool by_message; /* every register access is a message, so that a trace shows it */
  struct dma_window windows[DMA_WINDOWS];
};

/** Opens the device. A DMA window that there is no region for has 0 bytes.
 * @param device  its name, which its regions' names begin with ("nic0")
 * @param model   the component that simulates it
 * @param by_message  make every register access a message to the model, for tracing
 * @return 0, or -ENOENT / -EPERM when a region or the model is not there for this component. */
int hw_open(struct hw *hw, const char *device, const char *model, bool by_message);

/** Reads a register whose read has no effect. */
uint32_t hw_read(struct hw *hw, uint32_t reg);

/** Writes a register; posted: the device sees it the next time it looks, which is at the latest
 * after hw_kick(). Writes are seen in order. Not for registers where a second write before the
 * device looks would hide the first. */
void hw_write(struct hw *hw, uint32_t reg, uint32_t value);

/** Makes the device look at its registers: the doorbell. Needed after posted writes only when the
 * device may be idle; never blocks. */
void hw_kick(struct hw *hw);

/** Reads a register whose read has an effect, such as clearing it. Waits for the device.
 * @return 0, or the bus's negative error when the device is gone. */
int hw_read_effect(struct hw *hw, uint32_t reg, uint32_t *value);

/** Writes a register and waits until the device has acted on it and on all earlier writes.
 * @return as hw_read_effect() */
int hw_write_effect(struct hw *hw, uint32_t reg, uint32_t value);

/** Whether `m` says that the device raised its interrupt. */
bool hw_is_interrupt(const struct hw *hw, const msg_t *m);

/** DMA memory of a window as this process sees it, bounds-checked.
 * @return NULL when any of `bytes` lies outside. */
static inline void *hw_dma(const struct hw *hw, dma_addr_t address, uint32_t bytes) {
  return dma_pointer(hw->windows, address, bytes);
}

/** Orders all DMA memory and register accesses before it against all after it. */
static inline void hw_fence(void) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
