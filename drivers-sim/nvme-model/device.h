/* The device: an NVM Express 1.4 controller with one namespace, its state and what can be done to
 * it.
 *
 * The driver and the device share the register space. Registers without effects lie there and are
 * read whenever they matter; the shared copies of the others only show them. Nothing in shared
 * memory is trusted: every value is read once, checked, then used. */
#ifndef PROTEOS_NVME_DEVICE_H
#define PROTEOS_NVME_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "drivers-sim/dma.h"
#include "drivers-sim/nvme.h"
#include "media.h"

enum {
  QUEUES = 5, /* of each kind, the admin queue included */
  QUEUE_ENTRIES = 1024,
  TRANSFER_PAGES_SHIFT = 5, /* MDTS: 128 KiB */
  TRANSFER_BYTES = NVME_PAGE_BYTES << TRANSFER_PAGES_SHIFT,
  ASYNC_EVENTS = 4, /* requests that the driver may have waiting */
  LBA_SHIFT = 9,
  LBA_BYTES = 1 << LBA_SHIFT,
};

struct submission_queue {
  dma_addr_t address;
  uint32_t entries; /* 0: there is no such queue */
  uint32_t head;
  uint32_t cq;
};

struct completion_queue {
  dma_addr_t address;
  uint32_t entries; /* 0: there is no such queue */
  uint32_t tail;
  uint16_t phase; /* of the entries that are posted in this round */
  bool interrupts;
};

/* What SMART tells (5.14.1.2). */
struct smart {
  uint64_t sectors_read, sectors_written, reads, writes, resets, media_errors;
};

struct device {
  uint32_t *bar;
  struct dma_window windows[DMA_WINDOWS];
  struct media media;
  struct cache cache;
  bool enabled, complained;
  uint32_t interrupts_masked; /* INTMS, of which only vector 0 is used */
  bool interrupt_due;         /* entries were posted since the last interrupt */
  struct submission_queue sqs[QUEUES];
  struct completion_queue cqs[QUEUES];
  uint16_t async_events[ASYNC_EVENTS]; /* command ids */
  uint32_t nasync_events;
  struct smart smart;
};

/** Powers the device on, with an empty write cache.
 * @param bar, windows, media  borrowed */
void device_init(struct device *d, uint32_t *bar, const struct dma_window *windows,
                 const struct media *media);

/** A register access that came as a message. Any offset is allowed. */
uint32_t device_read(struct device *d, uint32_t reg);
void device_write(struct device *d, uint32_t reg, uint32_t value);

/** The doorbell: looks at everything that the driver may have written, and does the commands that
 * are in the queues by now. */
void device_look(struct device *d);

/** Whether the state makes sense: for a new version. */
bool device_is_sane(const struct device *d);

#endif
