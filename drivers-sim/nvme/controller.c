/* The controller: bringing it up (7.6.1), and admin commands, one at a time. */
#include <errno.h>

#include "driver.h"
#include "libsys/sys.h"

enum { POLLS = 200 /* of the device, each of which lets it work */ };

static int wait_for_status(uint32_t bits, uint32_t value) {
  for (unsigned i = 0; i < POLLS; i++) {
    uint32_t csts;
    int error = hw_read_effect(&driver.hw, NVME_CSTS, &csts);
    if (error) return error;
    if ((csts & bits) == value) return 0;
    if (csts & NVME_CSTS_CFS) return -EIO;
  }
  return -ETIMEDOUT;
}

static void write_64(uint32_t reg, uint64_t value) {
  hw_write(&driver.hw, reg, (uint32_t)value);
  hw_write(&driver.hw, reg + 4, value >> 32);
}

/* ---- admin commands ---- */

static int admin(struct nvme_command c) {
  struct queue_pair *q = &driver.controller.admin;
  struct nvme_completion done;
  queue_put(q, &c);
  int error = hw_write_effect(&driver.hw, nvme_sq_doorbell(0), q->tail);
  for (unsigned i = 0; !error; i++) {
    if (queue_take(q, &done)) break;
    uint32_t csts; /* asking for anything lets it work */
    error = i < POLLS ? hw_read_effect(&driver.hw, NVME_CSTS, &csts) : -ETIMEDOUT;
  }
  if (error) return error;
  hw_write(&driver.hw, nvme_cq_doorbell(0), q->head);
  return done.status >> 1 ? -EIO : 0;
}

static int ask_identity(enum nvme_cns what, uint32_t nsid, const void **data) {
  *data = hw_dma(&driver.hw, dma_address(DMA_RINGS, IDENTIFY_AT), NVME_IDENTIFY_BYTES);
  return admin((struct nvme_command){.opcode = NVME_IDENTIFY,
                                     .nsid = nsid,
                                     .prp1 = dma_address(DMA_RINGS, IDENTIFY_AT),
                                     .cdw10 = what});
}

/* A limit on transfers that is below what requests may have is not expected of anything real. */
static int check_controller(void) {
  const void *data;
  int error = ask_identity(NVME_CNS_CONTROLLER, 0, &data);
  if (error) return error;
  const struct nvme_id_controller *id = data;
  bool large_enough = id->mdts == 0 || 1u << id->mdts >= DISK_REQUEST_PAGES;
  if (large_enough && id->oncs & NVME_ONCS_WRITE_ZEROES) return 0;
  sys_log("the controller transfers too little at a time, or cannot write zeroes");
  return -EIO;
}

static int learn_namespace(struct controller *c) {
  const void *data;
  int error = ask_identity(NVME_CNS_NAMESPACE, 1, &data);
  if (error) return error;
  const struct nvme_id_namespace *id = data;
  uint8_t shift = id->lbaf[id->flbas & 15].lbads;
  if (shift < 9 || 1u << shift > DISK_PAGE_BYTES || id->nsze == 0) {
    sys_log("the namespace has blocks of 2^%u bytes, or none", shift);
    return -EIO;
  }
  c->block_shift = shift;
  c->blocks = id->nsze;
  return 0;
}

static int make_io_queues(struct controller *c) {
  queue_reset(&c->io, IO_SQ_AT, IO_CQ_AT, QUEUE_ENTRIES);
  uint32_t size_and_id = (QUEUE_ENTRIES - 1) << 16 | 1;
  int error =
      admin((struct nvme_command){.opcode = NVME_SET_FEATURES, .cdw10 = NVME_FEATURE_QUEUES});
  if (!error)
    error = admin((struct nvme_command){.opcode = NVME_CREATE_CQ,
                                        .prp1 = dma_address(DMA_RINGS, IO_CQ_AT),
                                        .cdw10 = size_and_id,
                                        .cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_CQ_INTERRUPTS});
  if (!error)
    error = admin((struct nvme_command){.opcode = NVME_CREATE_SQ,
                                        .prp1 = dma_address(DMA_RINGS, IO_SQ_AT),
                                        .cdw10 = size_and_id,
                                        .cdw11 = NVME_QUEUE_CONTIGUOUS | 1 << 16});
  return error;
}

/* ---- the whole ---- */

static int enable(struct controller *c) {
  queue_reset(&c->admin, ADMIN_SQ_AT, ADMIN_CQ_AT, ADMIN_ENTRIES);
  hw_write(&driver.hw, NVME_AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
  /* Power that went since AQA was looked at (controller_start): what is written last, ACQ, is gone.
   * If it goes from here on, AQA is gone, without which the device does not come up. */
  c->lost_power |= hw_read(&driver.hw, NVME_ACQ) == 0;
  write_64(NVME_ASQ, dma_address(DMA_RINGS, ADMIN_SQ_AT));
  write_64(NVME_ACQ, dma_address(DMA_RINGS, ADMIN_CQ_AT));
  int error = hw_write_effect(&driver.hw, NVME_CC,
                              NVME_CC_EN | NVME_SQE_SHIFT << NVME_CC_IOSQES_SHIFT |
                                  NVME_CQE_SHIFT << NVME_CC_IOCQES_SHIFT);
  return error ? error : wait_for_status(NVME_CSTS_RDY | NVME_CSTS_CFS, NVME_CSTS_RDY);
}

static int stop(void) {
  driver.controller.state = CONTROLLER_DOWN;
  int error = hw_write_effect(&driver.hw, NVME_CC, 0);
  return error ? error : wait_for_status(NVME_CSTS_RDY, 0);
}

/* 7.3.2: a reset leaves the admin queue's registers alone. */
bool controller_is_fresh(void) {
  return hw_read(&driver.hw, NVME_AQA) == 0;
}

int controller_start(void) {
  struct controller *c = &driver.controller;
  int error = stop();
  c->lost_power |= !error && controller_is_fresh();
  if (!error) error = enable(c);
  if (!error) error = check_controller();
  if (!error) error = learn_namespace(c);
  if (!error) error = make_io_queues(c);
  if (!error) c->state = CONTROLLER_READY;
  return error;
}
