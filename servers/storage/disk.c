#include "servers/storage/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "servers/storage/batch.h"
#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/flush.h"
#include "servers/storage/inbox.h"
#include "servers/storage/parked.h"
#include "servers/storage/writeback.h"

enum {
  RECORD_TO_WAIT = 0,    /* the record that disk_wait() uses */
  READ_TRIES = 3,        /* of a read that the driver fails */
  WRITE_TRIES = 150,     /* of a write; with a pause before each */
  START_TRIES = 100,     /* of starting the driver, in the middle of an operation */
  PAUSE_US = 100 * 1000, /* before trying again */
};

static struct {
  enum disk_state state;
  int start_error; /* of the last try */
  endpoint_t driver;
  char *frames;
  uint32_t pages;
  uint32_t sector_bytes, block_bytes;
  uint64_t sectors;
  struct disk_transfer transfers[DISK_REQUESTS];
  uint32_t under_way;
  uint32_t resets;              /* of the device, as the driver counts them */
  uint32_t held[DISK_REQUESTS]; /* transfers that the driver does not have yet */
  uint32_t nheld;
  bool is_urgent; /* one of them is not to wait */
} disk;

static struct dq_ring *ring(enum disk_ring_index which) {
  return disk_ring(disk.frames, which);
}

int disk_open(const char *name, const char *driver) {
  char region[48];
  size_t bytes;
  snprintf(region, sizeof region, "%s.frames", name);
  disk.frames = sys_region(region, &bytes);
  disk.driver = sys_lookup(driver);
  disk.block_bytes = DISK_PAGE_BYTES;
  if (!disk.frames || bytes < DISK_PAGES_OFFSET + 64 * DISK_PAGE_BYTES) {
    sys_log("the region %s is missing or too small", region);
    return -ENOSPC;
  }
  if (disk.driver < 0) {
    sys_log("there is no driver %s", driver);
    return -ENOENT;
  }
  disk.pages = (uint32_t)((bytes - DISK_PAGES_OFFSET) / DISK_PAGE_BYTES);
  return 0;
}

uint32_t disk_pages(void) {
  return disk.pages;
}

char *disk_page(uint32_t page) {
  return disk.frames + DISK_PAGES_OFFSET + (size_t)page * DISK_PAGE_BYTES;
}

bool disk_is_page(const void *address, uint32_t *page) {
  uintptr_t first = (uintptr_t)disk_page(0), at = (uintptr_t)address;
  if (at < first || at >= first + (size_t)disk.pages * DISK_PAGE_BYTES) return false;
  *page = (uint32_t)((at - first) / DISK_PAGE_BYTES);
  return true;
}

endpoint_t disk_driver(void) {
  return disk.driver;
}

bool disk_is_driver(endpoint_t ep) {
  return ep == disk.driver;
}

int disk_set_block_bytes(uint32_t bytes) {
  if (bytes < disk.sector_bytes || bytes > DISK_PAGE_BYTES) return -EINVAL;
  disk.block_bytes = bytes;
  return 0;
}

uint32_t disk_block_bytes(void) {
  return disk.block_bytes;
}

uint64_t disk_blocks(void) {
  return disk.sectors / (disk.block_bytes / disk.sector_bytes);
}

uint32_t disk_run_max(void) {
  return disk.block_bytes == DISK_PAGE_BYTES ? DISK_REQUEST_PAGES : 1;
}

/* ---- records ---- */

static void fill_record(uint32_t number, const struct disk_transfer *t) {
  struct disk_request *r = disk_record(disk.frames, number);
  uint32_t sectors = disk.block_bytes / disk.sector_bytes;
  *r = (struct disk_request){.operation = t->operation,
                             .block = t->block * sectors,
                             .blocks = t->count * sectors,
                             .flags = t->flags};
  for (uint32_t i = 0; i < t->count; i++)
    r->page[i] = (uint32_t)(DISK_PAGES_OFFSET + t->pages[i] * DISK_PAGE_BYTES);
}

static void submit(uint32_t number) {
  struct disk_transfer *t = &disk.transfers[number];
  t->waits = disk.state != DISK_IS_UP;
  if (t->waits) return;
  fill_record(number, t);
  disk.held[disk.nheld++] = number;
  if (t->operation != DISK_READ || t->count > 1) disk.is_urgent = true;
}

static struct disk_transfer transfer(enum disk_purpose purpose, uint32_t operation, uint64_t block,
                                     uint32_t count, const uint32_t *pages, uint32_t flags) {
  struct disk_transfer t = {
      .purpose = purpose, .operation = operation, .flags = flags, .count = count, .block = block};
  if (count) memcpy(t.pages, pages, count * sizeof *pages);
  return t;
}

bool disk_has_room(uint32_t transfers) {
  return disk.under_way + transfers < DISK_REQUESTS - 1;
}

const struct disk_transfer *disk_transfer_at(uint32_t number) {
  return &disk.transfers[number];
}

uint32_t disk_under_way(void) {
  return disk.under_way;
}

bool disk_begin(enum disk_purpose purpose, uint32_t operation, uint64_t block, uint32_t count,
                const uint32_t *pages, uint32_t flags) {
  uint32_t number = RECORD_TO_WAIT + 1;
  if (!disk_has_room(1)) return false;
  while (disk.transfers[number].purpose != FOR_NOBODY)
    number++;
  disk.transfers[number] = transfer(purpose, operation, block, count, pages, flags);
  disk.under_way++;
  submit(number);
  return true;
}

static void tell(const struct disk_transfer *t, int status) {
  switch (t->purpose) {
  case FOR_CACHE_READ:
    cache_read_done(t->pages, t->count, status);
    break;
  case FOR_CACHE_WRITE:
    writeback_done(t->pages, t->count, status);
    break;
  case FOR_COMMIT:
    commit_written(t->pages, t->count, status);
    break;
  case FOR_FLUSH:
    flush_done(status);
    break;
  case FOR_NOBODY:
    break;
  }
}

static bool may_try_again(struct disk_transfer *t, int status) {
  uint32_t tries = t->operation == DISK_READ ? READ_TRIES : WRITE_TRIES;
  if (status != -EIO || t->operation == DISK_FLUSH || ++t->failures >= tries) return false;
  t->waits = true;
  inbox_alarm(ALARM_DISK, PAUSE_US);
  return true;
}

static void end(uint32_t number) {
  struct disk_transfer *t = &disk.transfers[number];
  int status = disk_record(disk.frames, number)->status;
  if (t->purpose == FOR_NOBODY || t->waits) return; /* the driver is wrong */
  if (status && may_try_again(t, status)) return;
  struct disk_transfer done = *t;
  t->purpose = FOR_NOBODY;
  disk.under_way--;
  parked_wake();
  tell(&done, status);
}

static void take_all(void) {
  struct dq_desc d;
  do {
    while (dq_pop(ring(DISK_RING_DONE), &d))
      if (d.offset < DISK_REQUESTS && d.offset != RECORD_TO_WAIT) end(d.offset);
  } while (dq_want_items(ring(DISK_RING_DONE)));
}

void disk_take_done(void) {
  if (disk.state == DISK_IS_UP) take_all();
}

static void give_held(void) {
  for (uint32_t i = 0; i < disk.nheld; i++)
    dq_push(ring(DISK_RING_SUBMIT), (struct dq_desc){.offset = disk.held[i]});
  disk.nheld = 0;
  disk.is_urgent = false;
  if (dq_must_notify_consumer(ring(DISK_RING_SUBMIT))) sys_notify(disk.driver, DISK_TO_DRIVER);
}

void disk_turn_end(void) {
  if (!disk.nheld || disk.state != DISK_IS_UP) return;
  if (disk.is_urgent)
    batch_was_given();
  else if (!batch_is_complete(disk.nheld))
    return;
  give_held();
}

void disk_hold_none(void) {
  if (disk.nheld) disk.is_urgent = true;
}

void disk_hold_no_longer(void) {
  if (batch_alarm(disk.nheld)) disk.is_urgent = true;
}

/* ---- the driver's and the device's failures ---- */

static uint32_t ask_resets(void) {
  msg_t m = {.type = DISK_INFO};
  int error = sys_sendrec(disk.driver, &m);
  return error || m.status ? disk.resets + 1 : IPC_REPLY(&m, disk_info)->resets;
}

bool disk_was_reset(void) {
  uint32_t resets = ask_resets();
  if (resets == disk.resets) return false;
  disk.resets = resets;
  return true;
}

void disk_lost(void) {
  disk_was_reset();
  disk_take_done(); /* what is there may have been done before; what was written is taken for lost
                     */
  flush_lost();
  cache_lost();
  commit_lost();
}

static int ask_start(bool *lost) {
  msg_t m = {.type = DISK_START};
  int error = sys_sendrec(disk.driver, &m);
  if (!error) error = m.status;
  if (error) return error;
  disk.sectors = IPC_REPLY(&m, disk_start)->blocks;
  disk.sector_bytes = IPC_REPLY(&m, disk_start)->block_bytes;
  *lost = IPC_REPLY(&m, disk_start)->lost;
  return 0;
}

static int start_once(void) {
  bool lost;
  int error = disk.start_error = ask_start(&lost);
  if (error) return error;
  disk.state = DISK_IS_UP;
  disk_was_reset();
  dq_want_items(ring(DISK_RING_DONE));
  if (lost) disk_lost();
  disk.nheld = 0;
  disk.is_urgent = true;
  for (uint32_t i = RECORD_TO_WAIT + 1; i < DISK_REQUESTS; i++)
    if (disk.transfers[i].purpose != FOR_NOBODY) submit(i);
  disk_turn_end();
  return 0;
}

/* Waits for a driver that is being restarted, at most some seconds. */
static void start_wait(void) {
  int error = start_once();
  for (unsigned i = 0; error && i < START_TRIES; i++) {
    inbox_pause(PAUSE_US);
    error = start_once();
  }
}

void disk_begin_start(void) {
  inbox_alarm(ALARM_DISK, 0);
}

bool disk_is_up(void) {
  return disk.state == DISK_IS_UP;
}

int disk_start_error(void) {
  return disk.start_error;
}

void disk_driver_lost(void) {
  disk.state = DISK_IS_DOWN;
  inbox_alarm(ALARM_DISK, PAUSE_US);
}

void disk_driver_restarted(void) {
  disk.state = DISK_IS_DOWN;
  if (start_once()) inbox_alarm(ALARM_DISK, PAUSE_US);
}

bool disk_try_again(void) {
  if (disk.state == DISK_IS_DOWN) {
    if (start_once()) return true;
    return false;
  }
  for (uint32_t i = RECORD_TO_WAIT + 1; i < DISK_REQUESTS; i++)
    if (disk.transfers[i].purpose != FOR_NOBODY && disk.transfers[i].waits) submit(i);
  return false;
}

/* ---- waiting ---- */

static int do_once(const struct disk_transfer *t) {
  msg_t m = {.type = DISK_DO};
  if (disk.state != DISK_IS_UP) return -SYS_EDEADSRCDST;
  fill_record(RECORD_TO_WAIT, t);
  IPC(&m, disk_do)->record = RECORD_TO_WAIT;
  int error = sys_sendrec(disk.driver, &m);
  return error ? error : m.status;
}

int disk_wait(uint32_t operation, uint64_t block, uint32_t count, const uint32_t *pages,
              uint32_t flags) {
  struct disk_transfer t = transfer(FOR_NOBODY, operation, block, count, pages, flags);
  int error = do_once(&t);
  for (unsigned i = 0; error && error != -ERANGE && error != -EINVAL && i < READ_TRIES; i++) {
    if (error != -EIO && error != -EAGAIN) { /* the bus's: the driver is not there */
      disk.state = DISK_IS_DOWN;
      start_wait();
    }
    error = do_once(&t);
  }
  return error == -ERANGE ? error : error ? -EIO : 0;
}

void disk_poll(void) {
  msg_t m = {.type = DISK_INFO};
  disk.is_urgent = true;
  disk_turn_end();
  int error = sys_sendrec(disk.driver, &m);
  if (error) {
    disk.state = DISK_IS_DOWN;
    start_wait();
  }
  disk_take_done();
  disk_try_again();
  flush_look();
}
