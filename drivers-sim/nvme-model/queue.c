/* Submission and completion queues (4.1), and the way of a command from one to the other. */
#include <string.h>

#include "libst/fault.h"
#include "parts.h"

void queue_reset_all(struct device *d) {
  memset(d->sqs, 0, sizeof(d->sqs));
  memset(d->cqs, 0, sizeof(d->cqs));
}

bool queue_is_sane(const struct device *d) {
  for (uint32_t i = 0; i < QUEUES; i++) {
    const struct submission_queue *sq = &d->sqs[i];
    const struct completion_queue *cq = &d->cqs[i];
    if (sq->entries && (sq->head >= sq->entries || sq->cq >= QUEUES)) return false;
    if (cq->entries && cq->tail >= cq->entries) return false;
  }
  return true;
}

/* ---- completions ---- */

static bool has_room(const struct device *d, uint32_t id) {
  const struct completion_queue *cq = &d->cqs[id];
  uint32_t head = reg_load(d, nvme_cq_doorbell(id));
  return cq->entries && head < cq->entries && (cq->tail + 1) % cq->entries != head;
}

static void post(struct device *d, uint32_t sq_id, uint16_t cid, const struct outcome *o) {
  const struct submission_queue *sq = &d->sqs[sq_id];
  struct completion_queue *cq = &d->cqs[sq->cq];
  uint64_t slot = cq->address + cq->tail * NVME_CQE_BYTES;
  struct nvme_completion *entry = dma_pointer(d->windows, slot, NVME_CQE_BYTES);
  if (!entry || st_fault("nvme.completion", 1)) return; /* it is lost */
  entry->result = o->result;
  entry->sq_head = (uint16_t)sq->head;
  entry->sq_id = (uint16_t)sq_id;
  entry->cid = cid;
  /* The phase tag comes last: with it the entry is the driver's. */
  uint16_t status = (uint16_t)(o->status << 1) | cq->phase;
  __atomic_store_n(&entry->status, status, __ATOMIC_RELEASE);
  if (++cq->tail == cq->entries) {
    cq->tail = 0;
    cq->phase ^= NVME_PHASE;
  }
  d->interrupt_due |= cq->interrupts;
}

/* ---- commands ---- */

/* A copy, read once: the driver may change it at any time. */
static bool fetch(const struct device *d, const struct submission_queue *sq,
                  struct nvme_command *c) {
  uint64_t slot = sq->address + sq->head * NVME_SQE_BYTES;
  const uint64_t *words = dma_pointer(d->windows, slot, NVME_SQE_BYTES);
  uint64_t copy[NVME_SQE_BYTES / 8];
  if (!words) return false;
  for (unsigned i = 0; i < NVME_SQE_BYTES / 8; i++)
    copy[i] = __atomic_load_n(&words[i], __ATOMIC_ACQUIRE);
  memcpy(c, copy, sizeof(*c));
  return true;
}

static struct outcome carry_out(struct device *d, uint32_t sq_id, const struct nvme_command *c) {
  if (c->flags) /* fused operations and scatter-gather lists are not offered */
    return (struct outcome){.status = NVME_INVALID_FIELD | NVME_DNR};
  return sq_id ? io_command(d, c) : admin_command(d, c);
}

static void run_one(struct device *d, uint32_t id) {
  struct submission_queue *sq = &d->sqs[id];
  struct nvme_command c;
  if (!fetch(d, sq, &c)) return;
  sq->head = (sq->head + 1) % sq->entries;
  struct outcome o = carry_out(d, id, &c);
  /* It may have deleted its own queue's fellow, but not the admin queue. */
  if (!o.later && sq->entries) post(d, id, c.cid, &o);
}

/* As far as the doorbell says when it is looked at. */
static void run(struct device *d, uint32_t id) {
  const struct submission_queue *sq = &d->sqs[id];
  uint32_t tail = reg_load(d, nvme_sq_doorbell(id));
  if (tail >= sq->entries) {
    device_complain(d, "a submission queue's tail lies outside the queue");
    return;
  }
  while (sq->entries && sq->head != tail && has_room(d, sq->cq))
    run_one(d, id);
}

void queue_run(struct device *d) {
  for (uint32_t id = 0; id < QUEUES; id++)
    if (d->sqs[id].entries) run(d, id);
}
