/* The register space: what a read or a write does (3.1), and the controller's states (3.5). */
#include <string.h>

#include "host.h"
#include "libst/fault.h"
#include "parts.h"

enum { READY_TIMEOUT = 4 }; /* CAP.TO: 2 s */

static void show_fixed_registers(struct device *d) {
  reg_store(d, NVME_CAP, (QUEUE_ENTRIES - 1) | NVME_CAP_CQR | READY_TIMEOUT << NVME_CAP_TO_SHIFT);
  reg_store(d, NVME_CAP_HIGH, NVME_CAP_HIGH_CSS_NVM);
  reg_store(d, NVME_VS, NVME_VS_1_4);
}

/* 7.3.2: the admin queue's registers stay. */
static void forget_commands(struct device *d) {
  d->complained = d->interrupt_due = false;
  d->interrupts_masked = 0;
  d->nasync_events = 0;
  queue_reset_all(d);
  for (uint32_t reg = NVME_DOORBELLS; reg < NVME_BAR_BYTES; reg += 4)
    reg_store(d, reg, 0);
  reg_store(d, NVME_INTMS, 0);
  reg_store(d, NVME_INTMC, 0);
}

void device_init(struct device *d, uint32_t *bar, const struct dma_window *windows,
                 const struct media *media) {
  *d = (struct device){.bar = bar, .media = *media};
  memcpy(d->windows, windows, sizeof(d->windows));
  cache_init(&d->cache);
  memset(bar, 0, NVME_BAR_BYTES);
  show_fixed_registers(d);
  forget_commands(d);
}

void device_complain(struct device *d, const char *what) {
  if (d->complained) return;
  d->complained = true;
  host_complain(what);
}

/* ---- the controller's states ---- */

static uint64_t load_64(const struct device *d, uint32_t reg) {
  return reg_load(d, reg) | (uint64_t)reg_load(d, reg + 4) << 32;
}

static bool is_page(const struct device *d, uint64_t address, uint32_t bytes) {
  return address % NVME_PAGE_BYTES == 0 && dma_pointer(d->windows, address, bytes);
}

static const char *configure(struct device *d, uint32_t cc) {
  uint32_t aqa = reg_load(d, NVME_AQA);
  uint32_t sq_entries = (aqa & 0xFFF) + 1, cq_entries = (aqa >> 16 & 0xFFF) + 1;
  uint64_t sq = load_64(d, NVME_ASQ), cq = load_64(d, NVME_ACQ);
  if (NVME_CC_CSS(cc) || NVME_CC_MPS(cc) || NVME_CC_AMS(cc))
    return "CC asks for what CAP does not offer";
  if (sq_entries < 2 || cq_entries < 2) return "AQA: a queue has at least two entries";
  if (!is_page(d, sq, sq_entries * NVME_SQE_BYTES)) return "ASQ is no page of a DMA window";
  if (!is_page(d, cq, cq_entries * NVME_CQE_BYTES)) return "ACQ is no page of a DMA window";
  d->sqs[0] = (struct submission_queue){.address = sq, .entries = sq_entries};
  d->cqs[0] = (struct completion_queue){
      .address = cq, .entries = cq_entries, .phase = NVME_PHASE, .interrupts = true};
  return NULL;
}

static void enable(struct device *d, uint32_t cc) {
  const char *wrong = configure(d, cc);
  d->enabled = true;
  if (st_fault("nvme.ready", 1)) return; /* it does not become ready */
  if (!wrong) {
    reg_store(d, NVME_CSTS, NVME_CSTS_RDY);
    return;
  }
  reg_store(d, NVME_CSTS, NVME_CSTS_CFS);
  device_complain(d, wrong);
}

/* A controller reset. The write cache is not touched by it (7.3.2). */
static void disable(struct device *d) {
  d->enabled = false;
  d->smart.resets++;
  forget_commands(d);
  reg_store(d, NVME_CSTS, 0);
}

/* 7.6.2: what was written is kept then. */
static void shut_down(struct device *d) {
  if (cache_flush(&d->cache, &d->media)) return; /* it is tried again at the next look */
  reg_store(d, NVME_CSTS,
            (reg_load(d, NVME_CSTS) & ~NVME_CSTS_SHST_MASK) | NVME_CSTS_SHST_COMPLETE);
}

static void look_at_configuration(struct device *d) {
  uint32_t cc = reg_load(d, NVME_CC), csts = reg_load(d, NVME_CSTS);
  bool enabled = cc & NVME_CC_EN;
  if (enabled && !d->enabled) enable(d, cc);
  if (!enabled && d->enabled) disable(d);
  if (d->enabled && NVME_CC_SHN(cc) && !(csts & NVME_CSTS_SHST_MASK)) shut_down(d);
}

/* ---- accesses ---- */

static void interrupt(struct device *d) {
  if (!d->interrupt_due || d->interrupts_masked & 1) return;
  d->interrupt_due = false;
  host_interrupt();
}

static bool is_ready(const struct device *d) {
  return (reg_load(d, NVME_CSTS) & (NVME_CSTS_RDY | NVME_CSTS_CFS)) == NVME_CSTS_RDY;
}

void device_look(struct device *d) {
  look_at_configuration(d);
  if (d->enabled && is_ready(d)) queue_run(d);
  interrupt(d);
}

static void mask(struct device *d, uint32_t set, uint32_t clear) {
  d->interrupts_masked = (d->interrupts_masked | set) & ~clear;
  reg_store(d, NVME_INTMS, d->interrupts_masked);
  reg_store(d, NVME_INTMC, d->interrupts_masked);
}

uint32_t device_read(struct device *d, uint32_t reg) {
  if (reg % 4 || reg >= NVME_BAR_BYTES) return UINT32_MAX; /* as a PCI master abort */
  device_look(d);
  return reg_load(d, reg);
}

void device_write(struct device *d, uint32_t reg, uint32_t value) {
  if (reg % 4 || reg >= NVME_BAR_BYTES) return;
  switch (reg) {
  case NVME_CAP:
  case NVME_CAP_HIGH:
  case NVME_VS:
  case NVME_CSTS:
    return;
  case NVME_INTMS:
    mask(d, value, 0);
    break;
  case NVME_INTMC:
    mask(d, 0, value);
    break;
  default:
    reg_store(d, reg, value);
    break;
  }
  device_look(d);
}

bool device_is_sane(const struct device *d) {
  return d->bar && d->nasync_events <= ASYNC_EVENTS && d->cache.nblocks <= CACHE_BLOCKS &&
         queue_is_sane(d);
}
