/* The device's parts, as they see each other. Each function is in the file of its prefix. */
#ifndef PROTEOS_NVME_PARTS_H
#define PROTEOS_NVME_PARTS_H

#include "device.h"

/* registers.c: the shared register space. */
static inline uint32_t reg_load(const struct device *d, uint32_t reg) {
  return __atomic_load_n(&d->bar[reg / 4], __ATOMIC_ACQUIRE);
}
static inline void reg_store(struct device *d, uint32_t reg, uint32_t value) {
  __atomic_store_n(&d->bar[reg / 4], value, __ATOMIC_RELEASE);
}

/** Logs what the driver did wrong, once a reset. */
void device_complain(struct device *d, const char *what);

/* queue.c: the queues, and the commands in them. */
void queue_reset_all(struct device *d);
/** Does all commands that are in the submission queues now. */
void queue_run(struct device *d);
bool queue_is_sane(const struct device *d);

/** What became of a command. */
struct outcome {
  uint16_t status; /* enum nvme_status, NVME_DNR or-ed in */
  bool later;      /* its completion comes at another time, if ever */
  uint32_t result; /* completion dword 0 */
};

/* admin.c, io.c: carrying out a command; `c` is a copy that nobody changes. */
struct outcome admin_command(struct device *d, const struct nvme_command *c);
struct outcome io_command(struct device *d, const struct nvme_command *c);

/* identify.c */
uint16_t identify(struct device *d, const struct nvme_command *c);

/* prp.c: where a command's data lies (4.3). */
struct segment {
  char *data;
  uint32_t bytes;
};
enum { SEGMENTS_MAX = (1 << TRANSFER_PAGES_SHIFT) + 1 };
/** @param bytes     of data, 1 to TRANSFER_BYTES
 * @param segments  receives SEGMENTS_MAX at most, in order, together `bytes` long
 * @param n         receives how many they are
 * @return NVME_SUCCESS, or why there are none */
uint16_t prp_segments(const struct device *d, const struct nvme_command *c, uint32_t bytes,
                      struct segment *segments, uint32_t *n);
/** Fills a command's data from memory: `bytes`, of which those from `length` on are zero. */
uint16_t prp_fill(const struct device *d, const struct nvme_command *c, const void *data,
                  uint32_t length, uint32_t bytes);

#endif
