/* storage: files and directories of an ext4 file system, on a disk driver.
 *
 *   storage DISK [DRIVER [OPTION=VALUE]...]
 *
 * DISK names the region DISK.frames, whose pages are the cache; DRIVER the driver's component
 * (nvme if not given). Options:
 *   ro               mount for reading only
 *   cache=PAGES      use so many pages of the region at most
 *   dirty=PAGES      so much data may wait to be written back; a quarter of the cache
 *   age=SECONDS      transactions commit, and data is written back, after so long; 5
 *   wait=SECONDS     requests wait so long for a disk that has not come up yet; 10 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "servers/lent/lent.h"
#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/cut.h"
#include "servers/storage/disk.h"
#include "servers/storage/files.h"
#include "servers/storage/flush.h"
#include "servers/storage/inbox.h"
#include "servers/storage/requests.h"
#include "servers/storage/start.h"
#include "servers/storage/sync.h"
#include "servers/storage/volume.h"
#include "servers/storage/writeback.h"

SYS_NEEDS(region, "${1:-disk0}.frames");
SYS_NEEDS(call, "${2:-nvme}");

enum { TICK_US = 1000 * 1000, RETRY_US = 100 * 1000 };

static struct {
  char disk[32], driver[32];
  bool read_only;
  uint32_t cache_pages, dirty_pages, age_s, wait_s;
} options = {.disk = "disk0", .driver = "nvme", .age_s = 5, .wait_s = 10};

/* ---- each turn ---- */

static void turn_end(void) {
  start_go_on();
  parked_retry(request_make);
  writeback_turn_end();
  commit_turn_end();
  sync_turn_end();
  flush_look();
  if (commit_is_pending() || cache_count(PAGES_DIRTY)) inbox_alarm(ALARM_TICK, TICK_US);
  disk_turn_end();
}

static void alarm_came(uint64_t bits) {
  for (unsigned i = ALARM_DISK; i <= ALARM_CUT; i++)
    if (bits & 1u << i) inbox_alarm_came(i);
  if (bits & 1u << ALARM_DISK) {
    if (disk_try_again()) inbox_alarm(ALARM_DISK, RETRY_US);
    flush_try_again();
    commit_look();
    parked_wake();
  }
  if (bits & 1u << ALARM_BATCH) disk_hold_no_longer();
  if (bits & 1u << ALARM_CUT) cut_go_on();
  if (bits & 1u << ALARM_TICK) {
    writeback_tick();
    commit_tick();
  }
}

static void notified(const msg_t *m) {
  if (m->source == SYS_KERNEL) alarm_came(m->bits);
  if (m->source != SYS_KERNEL && !disk_is_driver(m->source) && lent_is_server(m->source))
    lent_revoked();
  if (!disk_is_driver(m->source)) return;
  if (m->bits & DISK_TO_CLIENT_LOST) disk_lost();
  disk_take_done();
}

/* An endpoint's process has ended; another may be there by now. */
static void peer_changed(endpoint_t peer, bool restarted) {
  if (disk_is_driver(peer)) {
    if (restarted)
      disk_driver_restarted();
    else
      disk_driver_lost();
    return;
  }
  if (lent_is_server(peer)) lent_drop_all();
  parked_drop(peer);
  sync_drop(peer);
  files_drop_owner(peer);
}

static void process_msg(const msg_t *m, const void *payload) {
  switch (m->type) {
  case SYS_NOTIFIED:
    notified(m);
    break;
  case SYS_EXITED:
  case SYS_RESTARTED:
    peer_changed(m->i32[0], m->type == SYS_RESTARTED);
    break;
  default:
    if (msg_is_request(m)) request_take(m, payload);
  }
}

/* ---- beginning and end ---- */

static int storage_init(const sys_init_t *info) {
  (void)info;
  int error = disk_open(options.disk, options.driver);
  if (!error) error = cache_init(options.cache_pages);
  if (error) return error;
  writeback_init(options.dirty_pages, options.age_s);
  commit_init(options.age_s);
  start_begin(options.wait_s, options.read_only);
  return 0;
}

static void storage_committed(const sys_init_t *info) {
  (void)info;
  disk_take_done();
  turn_end();
}

static void storage_shutdown(void) {
  files_drop_all();
  volume_unmount();
}

static bool parse_number(const char *text, const char *name, uint32_t *value) {
  size_t n = strlen(name);
  char *end;
  if (strncmp(text, name, n) != 0 || text[n] < '0' || text[n] > '9') return false;
  unsigned long number = strtoul(text + n, &end, 10);
  *value = (uint32_t)number;
  return !*end && number <= INT32_MAX;
}

static bool parse_option(const char *text) {
  if (strcmp(text, "ro") == 0) return options.read_only = true;
  return parse_number(text, "cache=", &options.cache_pages) ||
         parse_number(text, "dirty=", &options.dirty_pages) ||
         parse_number(text, "age=", &options.age_s) || parse_number(text, "wait=", &options.wait_s);
}

static bool parse_arguments(int argc, char **argv) {
  if (argc > 1) snprintf(options.disk, sizeof options.disk, "%s", argv[1]);
  if (argc > 2) snprintf(options.driver, sizeof options.driver, "%s", argv[2]);
  for (int i = 3; i < argc; i++)
    if (!parse_option(argv[i])) return false;
  return true;
}

int main(int argc, char **argv) {
  if (!parse_arguments(argc, argv)) {
    fprintf(stderr, "usage: storage DISK [DRIVER [ro] [cache=PAGES] [dirty=PAGES] [age=SECONDS] "
                    "[wait=SECONDS]]\n");
    return 2;
  }
  event_eh_t handlers = {
      .init = storage_init, .committed = storage_committed, .shutdown = storage_shutdown};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    const void *payload;
    inbox_receive(&m, &payload);
    process_msg(&m, payload);
    turn_end();
  }
}
