/* Requests on their way through the device: as commands, and back. */
#include <errno.h>

#include "driver.h"
#include "libsys/sys.h"

static uint8_t opcode(uint32_t operation) {
  switch (operation) {
  case DISK_READ:
    return NVME_READ;
  case DISK_WRITE:
    return NVME_WRITE;
  case DISK_ZERO:
    return NVME_WRITE_ZEROES;
  }
  return NVME_FLUSH;
}

static uint32_t pages(const struct disk_request *r) {
  bool has_data = r->operation == DISK_READ || r->operation == DISK_WRITE;
  uint64_t bytes = (uint64_t)r->blocks << driver.controller.block_shift;
  return has_data ? (uint32_t)((bytes + DISK_PAGE_BYTES - 1) / DISK_PAGE_BYTES) : 0;
}

/* 4.3: the second page, or the list of all but the first. */
static void point_to_pages(struct nvme_command *c, const struct disk_request *r, uint16_t id) {
  uint32_t n = pages(r);
  uint64_t list = dma_address(DMA_RINGS, LISTS_AT + id * LIST_BYTES);
  uint64_t *entries = hw_dma(&driver.hw, list, LIST_BYTES);
  if (n) c->prp1 = dma_address(DMA_FRAMES, r->page[0]);
  if (n == 2) c->prp2 = dma_address(DMA_FRAMES, r->page[1]);
  if (n <= 2) return;
  for (uint32_t i = 1; i < n; i++)
    entries[i - 1] = dma_address(DMA_FRAMES, r->page[i]);
  c->prp2 = list;
}
_Static_assert((DISK_REQUEST_PAGES - 1) * 8 < LIST_BYTES, "the last entry is never a page's last");

static void put(struct command *command) {
  const struct disk_request *r = &command->request;
  struct nvme_command c = {
      .opcode = opcode(r->operation), .cid = (uint16_t)(command - driver.commands), .nsid = 1};
  if (r->operation != DISK_FLUSH) {
    c.cdw10 = (uint32_t)r->block;
    c.cdw11 = r->block >> 32;
    c.cdw12 = (r->blocks - 1) | (r->flags & DISK_FUA ? NVME_RW_FUA : 0);
    point_to_pages(&c, r, c.cid);
  }
  queue_put(&driver.controller.io, &c);
  command->state = COMMAND_UNDER_WAY;
  command->since_us = sys_time_us();
}

static void ring(void) {
  hw_write(&driver.hw, nvme_sq_doorbell(1), driver.controller.io.tail);
  hw_kick(&driver.hw);
}

void command_send_all(void) {
  for (unsigned i = 0; i < COMMANDS; i++)
    if (driver.commands[i].state != COMMAND_FREE) put(&driver.commands[i]);
  ring();
}

static struct command *free_command(void) {
  struct command *c = driver.commands;
  while (c->state != COMMAND_FREE)
    c++;
  return c;
}

void command_begin(const struct dq_desc *d, const struct disk_request *request, uint64_t token) {
  struct command *c = free_command();
  *c = (struct command){
      .state = COMMAND_WAITING, .request = *request, .descriptor = *d, .token = token};
  driver.ncommands++;
  if (driver.controller.state != CONTROLLER_READY) return;
  put(c);
  ring();
}

/* ---- completions ---- */

static void count(const struct command *c, int32_t status) {
  switch (c->request.operation) {
  case DISK_READ:
    driver.counters.reads++;
    break;
  case DISK_WRITE:
  case DISK_ZERO:
    driver.counters.writes++;
    break;
  case DISK_FLUSH:
    driver.counters.flushes++;
    break;
  }
  driver.counters.errors += status != 0;
}

static void end(struct command *c, int32_t status) {
  c->state = COMMAND_FREE;
  driver.ncommands--;
  count(c, status);
  client_done(&c->descriptor, status, c->token);
}

static void completed(struct command *c, uint16_t status) {
  if (!status) {
    end(c, 0);
  } else if (!(status & NVME_DNR) && ++c->failures < TRIES) {
    put(c);
    ring();
  } else {
    sys_log("operation %u at block %llu failed: status 0x%x", c->request.operation,
            (unsigned long long)c->request.block, NVME_STATUS_CODE(status));
    end(c, NVME_STATUS_CODE(status) == NVME_LBA_OUT_OF_RANGE ? -ERANGE : -EIO);
  }
}

void command_reap(void) {
  struct queue_pair *q = &driver.controller.io;
  struct nvme_completion done;
  bool any = false;
  if (driver.controller.state != CONTROLLER_READY) return;
  while (queue_take(q, &done)) {
    any = true;
    if (done.cid < COMMANDS && driver.commands[done.cid].state == COMMAND_UNDER_WAY)
      completed(&driver.commands[done.cid], done.status >> 1);
    else
      sys_log("the device completed command %u, which is not under way", done.cid);
  }
  if (any) hw_write(&driver.hw, nvme_cq_doorbell(1), q->head);
}

void command_forget_all(void) {
  for (unsigned i = 0; i < COMMANDS; i++) {
    struct command *c = &driver.commands[i];
    if (c->state != COMMAND_FREE && c->token) client_done(&c->descriptor, -EIO, c->token);
    c->state = COMMAND_FREE;
  }
  driver.ncommands = 0;
}

void command_fail_all(int32_t status) {
  for (unsigned i = 0; i < COMMANDS; i++)
    if (driver.commands[i].state != COMMAND_FREE) end(&driver.commands[i], status);
}

void command_fail_flushes(void) {
  for (unsigned i = 0; i < COMMANDS; i++) {
    struct command *c = &driver.commands[i];
    if (c->state != COMMAND_FREE && c->request.operation == DISK_FLUSH) end(c, -EIO);
  }
}

uint64_t command_deadline(void) {
  uint64_t first = 0;
  for (unsigned i = 0; i < COMMANDS; i++) {
    const struct command *c = &driver.commands[i];
    if (c->state == COMMAND_UNDER_WAY && (!first || c->since_us < first)) first = c->since_us;
  }
  return first ? first + driver.timeout_us : 0;
}
