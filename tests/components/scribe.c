/* A client of a disk that writes and reads without a pause and checks every block: it must be what
 * was written last; after the device has lost its write cache, nothing older than what was flushed.
 * Prints a line every REPORT_US.
 *
 * Arguments: DISK DRIVER. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/if/disk.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-disk0}.frames");
SYS_NEEDS(call, "${2:-nvme}");

enum {
  JOBS = 16,
  JOB_BLOCKS = 8, /* at most */
  BLOCKS = 512,   /* of a page each */
  FLUSH_EVERY = 64,
  REPORT_US = 20000,
};
enum bit { BIT_REPORT, BIT_AGAIN };

/* What a block may hold: each version from `kept`, which was flushed, to `last`. */
struct block {
  uint64_t kept, flushing, last;
  bool busy;
  bool unsure; /* the device has lost its cache: any from `kept` on, and then that one */
};

struct job {
  bool busy;
  uint32_t operation, first, n;
};

static char region[48] = "disk0.frames", driver_name[32] = "nvme";
static endpoint_t driver;
static char *frames;
static struct block blocks[BLOCKS];
static struct job jobs[JOBS];
static uint32_t block_sectors; /* the device's blocks in one of ours */
static uint64_t operations, wrong, failed, losses, restarts, versions;
static uint32_t since_flush;
static bool flush_is_under_way, flush_counts, running;

static char *page(uint32_t job, uint32_t i) {
  return frames + DISK_PAGES_OFFSET + (job * JOB_BLOCKS + i) * DISK_PAGE_BYTES;
}

static void note_wrong(uint32_t b, uint64_t version) {
  wrong++;
  sys_log("wrong: block %u has version %llu, not %llu to %llu", b, (unsigned long long)version,
          (unsigned long long)blocks[b].kept, (unsigned long long)blocks[b].last);
}

/* ---- what stands in a block ---- */

static uint64_t word(uint32_t b, uint64_t version, uint32_t i) {
  return version ? version << 20 ^ (uint64_t)b << 9 ^ i : 0;
}

static void fill(char *data, uint32_t b, uint64_t version) {
  uint64_t *words = (uint64_t *)(void *)data;
  for (uint32_t i = 0; i < DISK_PAGE_BYTES / 8; i++)
    words[i] = word(b, version, i);
}

static void check(const char *data, uint32_t b) {
  const uint64_t *words = (const void *)data;
  struct block *k = &blocks[b];
  uint64_t version = (words[0] ^ (uint64_t)b << 9) >> 20;
  uint64_t oldest = k->unsure ? k->kept : k->last;
  bool whole = true;
  for (uint32_t i = 0; i < DISK_PAGE_BYTES / 8; i++)
    whole &= words[i] == word(b, version, i);
  if (!whole || version < oldest || version > k->last) note_wrong(b, version);
  k->last = version;
  k->unsure = false;
}

/* ---- requests ---- */

static void submit(uint32_t j) {
  struct job *job = &jobs[j];
  struct disk_request *r = disk_record(frames, j);
  *r = (struct disk_request){.operation = job->operation,
                             .status = 1,
                             .block = (uint64_t)job->first * block_sectors,
                             .blocks = job->n * block_sectors};
  for (uint32_t i = 0; i < job->n; i++)
    r->page[i] = (uint32_t)(page(j, i) - frames);
  job->busy = true;
  dq_push(disk_ring(frames, DISK_RING_SUBMIT), (struct dq_desc){j, 0, j});
}

static bool choose_blocks(struct job *job) {
  job->n = 1 + (uint32_t)(versions * 7 % JOB_BLOCKS);
  job->first = (uint32_t)(versions * 0x9E3779B1u >> 7) % (BLOCKS - JOB_BLOCKS);
  for (uint32_t i = 0; i < job->n; i++)
    if (blocks[job->first + i].busy) return false;
  return true;
}

static void begin_flush(uint32_t j) {
  since_flush = 0;
  flush_is_under_way = flush_counts = true;
  for (uint32_t b = 0; b < BLOCKS; b++)
    blocks[b].flushing = blocks[b].busy || blocks[b].unsure ? blocks[b].kept : blocks[b].last;
  jobs[j] = (struct job){.operation = DISK_FLUSH};
  submit(j);
}

static void begin_transfer(uint32_t j) {
  struct job *job = &jobs[j];
  versions++;
  if (!choose_blocks(job)) return;
  uint32_t kind = versions % 5;
  job->operation = kind < 2 ? DISK_READ : DISK_WRITE;
  for (uint32_t i = 0; i < job->n; i++) {
    struct block *k = &blocks[job->first + i];
    k->busy = true;
    if (job->operation == DISK_READ) continue;
    fill(page(j, i), job->first + i, versions);
    k->unsure = true; /* until it is done it may be the old or the new one */
    k->last = versions;
  }
  submit(j);
}

static void begin_all(void) {
  for (uint32_t j = 0; j < JOBS && running; j++) {
    if (jobs[j].busy) continue;
    if (since_flush >= FLUSH_EVERY && !flush_is_under_way)
      begin_flush(j);
    else
      begin_transfer(j);
  }
  if (dq_must_notify_consumer(disk_ring(frames, DISK_RING_SUBMIT)))
    sys_notify(driver, DISK_TO_DRIVER);
}

static void end_transfer(uint32_t j) {
  const struct job *job = &jobs[j];
  for (uint32_t i = 0; i < job->n; i++) {
    uint32_t b = job->first + i;
    blocks[b].busy = false;
    if (job->operation == DISK_READ)
      check(page(j, i), b);
    else
      blocks[b].unsure = false;
  }
  since_flush += job->operation == DISK_WRITE;
}

static void end_flush(void) {
  flush_is_under_way = false;
  for (uint32_t b = 0; b < BLOCKS && flush_counts; b++)
    blocks[b].kept = blocks[b].flushing;
}

static void end(uint32_t j) {
  struct job *job = &jobs[j];
  int32_t status = disk_record(frames, j)->status;
  operations++;
  job->busy = false;
  if (status) {
    failed++;
    if (job->operation == DISK_FLUSH) flush_is_under_way = false;
    for (uint32_t i = 0; i < job->n; i++)
      blocks[job->first + i].busy = false;
  } else if (job->operation == DISK_FLUSH) {
    end_flush();
  } else {
    end_transfer(j);
  }
}

static void take_done(void) {
  struct dq_ring *done = disk_ring(frames, DISK_RING_DONE);
  struct dq_desc d;
  do {
    while (dq_pop(done, &d))
      if (d.cookie < JOBS && jobs[d.cookie].busy) end((uint32_t)d.cookie);
  } while (dq_want_items(done));
}

/* ---- the device's and the driver's failures ---- */

/* What was not flushed may be lost. Whatever is done by now may have been done before. */
static void cache_was_lost(void) {
  losses++;
  flush_counts = false;
  take_done();
  for (uint32_t b = 0; b < BLOCKS; b++)
    blocks[b].unsure = true;
}

static void start(void) {
  msg_t m = {.type = DISK_START};
  int error = sys_sendrec(driver, &m);
  running = !error && !m.status;
  if (!running) {
    sys_alarm(BIT_AGAIN, sys_time_us() + REPORT_US);
    return;
  }
  block_sectors = DISK_PAGE_BYTES / IPC_REPLY(&m, disk_start)->block_bytes;
  if (IPC_REPLY(&m, disk_start)->lost && operations) cache_was_lost();
  flush_is_under_way = false;
  for (uint32_t j = 0; j < JOBS; j++)
    jobs[j].busy = false;
  for (uint32_t b = 0; b < BLOCKS; b++)
    blocks[b].busy = false;
  dq_want_items(disk_ring(frames, DISK_RING_DONE));
  begin_all();
}

static void report(void) {
  sys_log("operations %llu wrong %llu failed %llu losses %llu restarts %llu",
          (unsigned long long)operations, (unsigned long long)wrong, (unsigned long long)failed,
          (unsigned long long)losses, (unsigned long long)restarts);
  sys_alarm(BIT_REPORT, sys_time_us() + REPORT_US);
}

static void notified(const msg_t *m) {
  if (m->source == SYS_KERNEL) {
    if (m->bits & 1u << BIT_REPORT) report();
    if (m->bits & 1u << BIT_AGAIN) start();
    return;
  }
  if (m->bits & DISK_TO_CLIENT_LOST) cache_was_lost();
  take_done();
  begin_all();
}

static int init(const sys_init_t *info) {
  (void)info;
  size_t bytes;
  frames = sys_region(region, &bytes);
  driver = sys_lookup(driver_name);
  if (!frames || bytes < DISK_PAGES_OFFSET + JOBS * JOB_BLOCKS * DISK_PAGE_BYTES) return -1;
  report();
  start();
  return 0;
}

static void committed(const sys_init_t *info) {
  (void)info;
  take_done();
  begin_all();
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(region, sizeof(region), "%s.frames", argv[1]);
  if (argc > 2) snprintf(driver_name, sizeof(driver_name), "%s", argv[2]);
  event_eh_t handlers = {.init = init, .committed = committed};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED) notified(&m);
    if (m.type == SYS_RESTARTED && m.i32[0] == driver) restarts++, start();
  }
}
