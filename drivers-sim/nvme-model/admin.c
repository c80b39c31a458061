/* The admin command set (5). */
#include <string.h>

#include "parts.h"

enum { LOG_BYTES_MAX = 4096, SMART_BYTES = 512, SMART_UNIT_SECTORS = 1000 };

static struct outcome ended(uint16_t status) {
  return (struct outcome){.status = status};
}

static struct outcome refused(uint16_t status) {
  return ended(status | NVME_DNR);
}

/* ---- queues (5.3 to 5.6) ---- */

static bool is_io_queue(uint32_t id) {
  return id > 0 && id < QUEUES;
}

/* What both kinds of queue must satisfy.
 * @param shift  what CC says of the size of its entries, which must be `entry_bytes`
 * @return NVME_SUCCESS or why not */
static uint16_t check_queue(const struct device *d, const struct nvme_command *c, uint32_t shift,
                            uint32_t entry_bytes) {
  uint32_t entries = (c->cdw10 >> 16) + 1;
  if (!is_io_queue(c->cdw10 & 0xFFFF)) return NVME_QID_INVALID;
  if (entries < 2 || entries > QUEUE_ENTRIES) return NVME_QUEUE_SIZE_INVALID;
  if (!(c->cdw11 & NVME_QUEUE_CONTIGUOUS) || 1u << shift != entry_bytes) return NVME_INVALID_FIELD;
  if (c->prp1 % NVME_PAGE_BYTES) return NVME_PRP_OFFSET_INVALID;
  return dma_pointer(d->windows, c->prp1, entries * entry_bytes) ? NVME_SUCCESS
                                                                 : NVME_INVALID_FIELD;
}

static struct outcome create_cq(struct device *d, const struct nvme_command *c) {
  uint32_t id = c->cdw10 & 0xFFFF;
  uint16_t status = check_queue(d, c, NVME_CC_IOCQES(reg_load(d, NVME_CC)), NVME_CQE_BYTES);
  if (status) return refused(status);
  if (d->cqs[id].entries) return refused(NVME_QID_INVALID);
  if (c->cdw11 >> 16) return refused(NVME_VECTOR_INVALID);
  reg_store(d, nvme_cq_doorbell(id), 0);
  d->cqs[id] = (struct completion_queue){.address = c->prp1,
                                         .entries = (c->cdw10 >> 16) + 1,
                                         .phase = NVME_PHASE,
                                         .interrupts = c->cdw11 & NVME_CQ_INTERRUPTS};
  return ended(NVME_SUCCESS);
}

static struct outcome create_sq(struct device *d, const struct nvme_command *c) {
  uint32_t id = c->cdw10 & 0xFFFF, cq = c->cdw11 >> 16;
  uint16_t status = check_queue(d, c, NVME_CC_IOSQES(reg_load(d, NVME_CC)), NVME_SQE_BYTES);
  if (status) return refused(status);
  if (d->sqs[id].entries) return refused(NVME_QID_INVALID);
  if (!is_io_queue(cq) || !d->cqs[cq].entries) return refused(NVME_CQ_INVALID);
  reg_store(d, nvme_sq_doorbell(id), 0);
  d->sqs[id] =
      (struct submission_queue){.address = c->prp1, .entries = (c->cdw10 >> 16) + 1, .cq = cq};
  return ended(NVME_SUCCESS);
}

static struct outcome delete_sq(struct device *d, const struct nvme_command *c) {
  uint32_t id = c->cdw10 & 0xFFFF;
  if (!is_io_queue(id) || !d->sqs[id].entries) return refused(NVME_QID_INVALID);
  d->sqs[id].entries = 0;
  return ended(NVME_SUCCESS);
}

static struct outcome delete_cq(struct device *d, const struct nvme_command *c) {
  uint32_t id = c->cdw10 & 0xFFFF;
  if (!is_io_queue(id) || !d->cqs[id].entries) return refused(NVME_QID_INVALID);
  for (uint32_t i = 1; i < QUEUES; i++)
    if (d->sqs[i].entries && d->sqs[i].cq == id) return refused(NVME_QUEUE_DELETION_INVALID);
  d->cqs[id].entries = 0;
  return ended(NVME_SUCCESS);
}

/* ---- features (5.21) ---- */

static uint32_t queues_offered(void) {
  return (QUEUES - 2) | (QUEUES - 2) << 16; /* I/O queues of each kind, less one */
}

static struct outcome set_features(struct device *d, const struct nvme_command *c) {
  if (c->cdw10 >> 31) return refused(NVME_INVALID_FIELD); /* nothing can be saved */
  switch (c->cdw10 & 0xFF) {
  case NVME_FEATURE_QUEUES:
    if ((c->cdw11 & 0xFFFF) == 0xFFFF || c->cdw11 >> 16 == 0xFFFF)
      return refused(NVME_INVALID_FIELD);
    return (struct outcome){.result = queues_offered()};
  case NVME_FEATURE_VOLATILE_CACHE:
    if (!(c->cdw11 & 1) && cache_flush(&d->cache, &d->media)) return ended(NVME_WRITE_FAULT);
    d->cache.enabled = c->cdw11 & 1;
    return ended(NVME_SUCCESS);
  }
  return refused(NVME_INVALID_FIELD);
}

static struct outcome get_features(struct device *d, const struct nvme_command *c) {
  if (c->cdw10 >> 8 & 7) return refused(NVME_INVALID_FIELD); /* SEL: the current value only */
  switch (c->cdw10 & 0xFF) {
  case NVME_FEATURE_QUEUES:
    return (struct outcome){.result = queues_offered()};
  case NVME_FEATURE_VOLATILE_CACHE:
    return (struct outcome){.result = d->cache.enabled};
  }
  return refused(NVME_INVALID_FIELD);
}

/* ---- log pages (5.14) ---- */

static void put_64(uint8_t *page, uint32_t offset, uint64_t value) {
  memcpy(page + offset, &value, sizeof(value));
}

/* Figure 194; counters are of 128 bits. */
static void fill_smart(const struct device *d, uint8_t *page) {
  const struct smart *s = &d->smart;
  page[3] = 100; /* available spare, percent */
  put_64(page, 32, (s->sectors_read + SMART_UNIT_SECTORS - 1) / SMART_UNIT_SECTORS);
  put_64(page, 48, (s->sectors_written + SMART_UNIT_SECTORS - 1) / SMART_UNIT_SECTORS);
  put_64(page, 64, s->reads);
  put_64(page, 80, s->writes);
  put_64(page, 160, s->media_errors);
}

static struct outcome get_log_page(struct device *d, const struct nvme_command *c) {
  uint8_t page[SMART_BYTES] = {0};
  uint64_t dwords = ((uint64_t)(c->cdw11 & 0xFFFF) << 16 | c->cdw10 >> 16) + 1;
  if (dwords > LOG_BYTES_MAX / 4 || c->cdw12 || c->cdw13) return refused(NVME_INVALID_FIELD);
  switch (c->cdw10 & 0xFF) {
  case NVME_LOG_ERROR: /* no entry: all zero */
    break;
  case NVME_LOG_SMART:
    fill_smart(d, page);
    break;
  default:
    return refused(NVME_LOG_PAGE_INVALID);
  }
  return ended(prp_fill(d, c, page, sizeof(page), (uint32_t)dwords * 4));
}

/* ---- the others ---- */

/* 5.2: waits for an event, of which there is none yet; a reset takes it back. */
static struct outcome async_event(struct device *d, const struct nvme_command *c) {
  if (d->nasync_events == ASYNC_EVENTS) return refused(NVME_AER_LIMIT_EXCEEDED);
  d->async_events[d->nasync_events++] = c->cid;
  return (struct outcome){.later = true};
}

struct outcome admin_command(struct device *d, const struct nvme_command *c) {
  switch (c->opcode) {
  case NVME_DELETE_SQ:
    return delete_sq(d, c);
  case NVME_CREATE_SQ:
    return create_sq(d, c);
  case NVME_GET_LOG_PAGE:
    return get_log_page(d, c);
  case NVME_DELETE_CQ:
    return delete_cq(d, c);
  case NVME_CREATE_CQ:
    return create_cq(d, c);
  case NVME_IDENTIFY:
    return ended(identify(d, c));
  case NVME_ABORT: /* 5.1: what was begun is over by now; 1: it was not aborted */
    return (struct outcome){.result = 1};
  case NVME_SET_FEATURES:
    return set_features(d, c);
  case NVME_GET_FEATURES:
    return get_features(d, c);
  case NVME_ASYNC_EVENT:
    return async_event(d, c);
  }
  return refused(NVME_INVALID_OPCODE);
}
