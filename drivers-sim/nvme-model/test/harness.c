#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "../host.h"

struct table table;

void host_interrupt(void) {
  table.interrupts++;
}

void host_complain(const char *what) {
  (void)what;
  table.complaints++;
}

static void power_on(void) {
  struct media media;
  struct dma_window windows[DMA_WINDOWS] = {
      [DMA_RINGS] = {table.rings, RINGS_BYTES}, [DMA_FRAMES] = {table.frames, FRAMES_BYTES}};
  media_open_memory(&media, table.media, MEDIA_BYTES);
  device_init(&table.device, table.bar, windows, &media);
}

static char *pages(size_t bytes) {
  char *p = aligned_alloc(NVME_PAGE_BYTES, bytes);
  ck_assert_ptr_nonnull(p);
  return memset(p, 0, bytes);
}

void table_setup(void) {
  memset(&table, 0, sizeof(table));
  table.bar = (uint32_t *)(void *)pages(NVME_BAR_BYTES);
  table.rings = pages(RINGS_BYTES);
  table.frames = pages(FRAMES_BYTES);
  table.media = pages(MEDIA_BYTES);
  power_on();
}

void table_setup_ready(void) {
  table_setup();
  enable();
  create_io_queues();
}

/* Forgets what is in the cache. */
static void empty_cache(void) {
  struct cache_block *b;
  while ((b = TAILQ_FIRST(&table.device.cache.by_age))) {
    TAILQ_REMOVE(&table.device.cache.by_age, b, age);
    free(b);
  }
}

void table_power_cycle(void) {
  empty_cache();
  power_on();
}

void table_teardown(void) {
  empty_cache();
  free(table.bar);
  free(table.rings);
  free(table.frames);
  free(table.media);
}

uint32_t get(uint32_t reg) {
  return device_read(&table.device, reg);
}

void set(uint32_t reg, uint32_t value) {
  device_write(&table.device, reg, value);
}

static void set_64(uint32_t reg, uint64_t value) {
  set(reg, (uint32_t)value);
  set(reg + 4, value >> 32);
}

static void form_queue(unsigned queue, uint32_t cq_at) {
  table.tails[queue] = table.heads[queue] = 0;
  table.phases[queue] = NVME_PHASE;
  memset(table.rings + cq_at, 0, ENTRIES * NVME_CQE_BYTES);
}

void enable(void) {
  form_queue(0, ADMIN_CQ_AT);
  set(NVME_AQA, (ENTRIES - 1) | (ENTRIES - 1) << 16);
  set_64(NVME_ASQ, dma_address(DMA_RINGS, ADMIN_SQ_AT));
  set_64(NVME_ACQ, dma_address(DMA_RINGS, ADMIN_CQ_AT));
  set(NVME_CC,
      NVME_CC_EN | NVME_SQE_SHIFT << NVME_CC_IOSQES_SHIFT | NVME_CQE_SHIFT << NVME_CC_IOCQES_SHIFT);
  ck_assert_uint_eq(get(NVME_CSTS), NVME_CSTS_RDY);
}

void create_io_queues(void) {
  form_queue(1, IO_CQ_AT);
  ck_assert_uint_eq(
      run(0, (struct nvme_command){.opcode = NVME_CREATE_CQ,
                                   .prp1 = dma_address(DMA_RINGS, IO_CQ_AT),
                                   .cdw10 = 1 | (ENTRIES - 1) << 16,
                                   .cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_CQ_INTERRUPTS}),
      NVME_SUCCESS);
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_CREATE_SQ,
                                                 .prp1 = dma_address(DMA_RINGS, IO_SQ_AT),
                                                 .cdw10 = 1 | (ENTRIES - 1) << 16,
                                                 .cdw11 = NVME_QUEUE_CONTIGUOUS | 1 << 16}),
                    NVME_SUCCESS);
}

void put(unsigned queue, struct nvme_command c) {
  char *sq = table.rings + (queue ? IO_SQ_AT : ADMIN_SQ_AT);
  memcpy(sq + table.tails[queue] * NVME_SQE_BYTES, &c, sizeof(c));
  table.tails[queue] = (table.tails[queue] + 1) % ENTRIES;
}

void ring(unsigned queue) {
  set(nvme_sq_doorbell(queue), table.tails[queue]);
}

bool take(unsigned queue, struct nvme_completion *c) {
  char *cq = table.rings + (queue ? IO_CQ_AT : ADMIN_CQ_AT);
  memcpy(c, cq + table.heads[queue] * NVME_CQE_BYTES, sizeof(*c));
  if ((c->status & NVME_PHASE) != table.phases[queue]) return false;
  if (++table.heads[queue] == ENTRIES) {
    table.heads[queue] = 0;
    table.phases[queue] ^= NVME_PHASE;
  }
  set(nvme_cq_doorbell(queue), table.heads[queue]);
  return true;
}

static struct nvme_completion run_whole(unsigned queue, struct nvme_command c) {
  static uint16_t cid;
  struct nvme_completion done;
  c.cid = ++cid;
  put(queue, c);
  ring(queue);
  ck_assert(take(queue, &done));
  ck_assert_uint_eq(done.cid, cid);
  ck_assert_uint_eq(done.sq_id, queue);
  ck_assert_uint_eq(done.sq_head, table.tails[queue]);
  return done;
}

uint16_t run(unsigned queue, struct nvme_command c) {
  return run_whole(queue, c).status >> 1;
}

uint32_t run_result(unsigned queue, struct nvme_command c) {
  struct nvme_completion done = run_whole(queue, c);
  ck_assert_uint_eq(done.status >> 1, NVME_SUCCESS);
  return done.result;
}

uint16_t transfer(uint8_t opcode, uint64_t lba, uint32_t blocks, uint32_t frame_offset,
                  uint32_t flags) {
  uint64_t first = dma_address(DMA_FRAMES, frame_offset);
  uint64_t next = (first | (NVME_PAGE_BYTES - 1)) + 1, end = first + blocks * LBA_BYTES;
  struct nvme_command c = {.opcode = opcode,
                           .nsid = 1,
                           .prp1 = first,
                           .prp2 = next,
                           .cdw10 = (uint32_t)lba,
                           .cdw11 = lba >> 32,
                           .cdw12 = (blocks - 1) | flags};
  if (next + NVME_PAGE_BYTES < end) {
    uint64_t *list = (uint64_t *)(void *)(table.rings + LIST_AT);
    for (; next < end; next += NVME_PAGE_BYTES)
      *list++ = next;
    c.prp2 = dma_address(DMA_RINGS, LIST_AT);
  }
  return run(1, c);
}
