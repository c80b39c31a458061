/* Queue pairs in DMA memory (4.1). */
#include <string.h>

#include "driver.h"

static char *rings(uint32_t at, uint32_t bytes) {
  return hw_dma(&driver.hw, dma_address(DMA_RINGS, at), bytes);
}

void queue_reset(struct queue_pair *q, uint32_t sq_at, uint32_t cq_at, uint32_t entries) {
  *q = (struct queue_pair){.sq_at = sq_at, .cq_at = cq_at, .entries = entries, .phase = NVME_PHASE};
  memset(rings(cq_at, entries * NVME_CQE_BYTES), 0, entries * NVME_CQE_BYTES);
}

void queue_put(struct queue_pair *q, const struct nvme_command *c) {
  memcpy(rings(q->sq_at + q->tail * NVME_SQE_BYTES, NVME_SQE_BYTES), c, sizeof(*c));
  q->tail = (q->tail + 1) % q->entries;
}

bool queue_take(struct queue_pair *q, struct nvme_completion *c) {
  const char *slot = rings(q->cq_at + q->head * NVME_CQE_BYTES, NVME_CQE_BYTES);
  const struct nvme_completion *entry = (const void *)slot;
  uint16_t status = __atomic_load_n(&entry->status, __ATOMIC_ACQUIRE);
  if ((status & NVME_PHASE) != q->phase) return false;
  *c = *entry;
  c->status = status;
  q->head = (q->head + 1) % q->entries;
  if (q->head == 0) q->phase ^= NVME_PHASE;
  return true;
}
