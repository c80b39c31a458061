/* Towards the client: the rings and records of libsys/if/disk.h. */
#include <errno.h>

#include "driver.h"
#include "libsys/sys.h"

static struct dq_ring *ring(enum disk_ring_index which) {
  return disk_ring(driver.hw.windows[DMA_FRAMES].base, which);
}

void client_rings_init(void) {
  for (int i = 0; i < DISK_RINGS; i++)
    dq_init(ring(i), DISK_REQUESTS);
}

static bool is_page(uint32_t offset) {
  return offset % DISK_PAGE_BYTES == 0 && offset >= DISK_PAGES_OFFSET &&
         hw_dma(&driver.hw, dma_address(DMA_FRAMES, offset), DISK_PAGE_BYTES);
}

/* Whether the region and the device allow what the record asks for: 0, -EINVAL, -ERANGE. */
static int32_t check(const struct disk_request *r) {
  const struct controller *c = &driver.controller;
  bool has_data = r->operation == DISK_READ || r->operation == DISK_WRITE;
  if (r->operation == DISK_FLUSH) return 0;
  if (!has_data && r->operation != DISK_ZERO) return -EINVAL;
  if (r->blocks == 0 || r->blocks > UINT16_MAX + 1u) return -EINVAL;
  if (r->block >= c->blocks || r->blocks > c->blocks - r->block) return -ERANGE;
  if (!has_data) return 0;
  uint64_t bytes = (uint64_t)r->blocks << c->block_shift;
  if (bytes > DISK_REQUEST_PAGES * DISK_PAGE_BYTES) return -EINVAL;
  for (uint32_t i = 0; i * DISK_PAGE_BYTES < bytes; i++)
    if (!is_page(r->page[i])) return -EINVAL;
  return 0;
}

static void answer(uint64_t token, int32_t status) {
  const msg_t reply = {.type = DISK_DO | SYS_REPLY_FLAG, .status = status};
  sys_reply(token, &reply);
}

void client_done(const struct dq_desc *d, int32_t status, uint64_t token) {
  if (d->offset < DISK_REQUESTS)
    disk_record(driver.hw.windows[DMA_FRAMES].base, d->offset)->status = status;
  if (token)
    answer(token, status);
  else
    dq_push(ring(DISK_RING_DONE), *d);
}

/* Room for what is under way is kept: what the device has done must have somewhere to go. One
 * command is left to whoever waits for a DISK_DO. */
static bool has_room(void) {
  return dq_count(ring(DISK_RING_DONE)) + driver.ncommands < DISK_REQUESTS &&
         driver.ncommands < COMMANDS - 1;
}

static int32_t begin(const struct dq_desc *d, uint64_t token) {
  if (d->offset >= DISK_REQUESTS) return -EINVAL;
  /* A copy, read once: the client may change it at any time. */
  const struct disk_request r =
      *(volatile struct disk_request *)disk_record(driver.hw.windows[DMA_FRAMES].base, d->offset);
  int32_t status = check(&r);
  if (!status) command_begin(d, &r, token);
  return status;
}

static void take(const struct dq_desc *d) {
  int32_t status = begin(d, 0);
  if (status) client_done(d, status, 0);
}

int32_t client_do(uint32_t record, uint64_t token) {
  const struct dq_desc d = {.offset = record};
  return driver.ncommands < COMMANDS ? begin(&d, token) : -EAGAIN;
}

void client_lost_power(void) {
  if (!driver.client) return; /* whoever comes is told then */
  driver.controller.lost_power = false;
  sys_notify(driver.client, DISK_TO_CLIENT_LOST);
}

void client_pump(void) {
  struct dq_desc d;
  if (!driver.client) return;
  do {
    while (has_room() && dq_pop(ring(DISK_RING_SUBMIT), &d))
      take(&d);
  } while (has_room() && dq_want_items(ring(DISK_RING_SUBMIT)));
  uint64_t bits = 0;
  if (dq_must_notify_consumer(ring(DISK_RING_DONE))) bits |= DISK_TO_CLIENT_DONE;
  if (dq_must_notify_producer(ring(DISK_RING_SUBMIT))) bits |= DISK_TO_CLIENT_DONE;
  if (bits) sys_notify(driver.client, bits);
}
