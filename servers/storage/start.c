#include "servers/storage/start.h"

#include "libsys/sys.h"
#include "servers/storage/disk.h"
#include "servers/storage/parked.h"
#include "servers/storage/volume.h"

enum start_state {
  START_ENDED,   /* the file system was mounted, or refused */
  START_WAITS,   /* for the disk, and requests for both */
  START_IS_LATE, /* for the disk; requests are refused */
};

static struct {
  enum start_state state;
  bool read_only;
  uint64_t late_us; /* START_WAITS: when requests have waited for long enough */
} start;

void start_begin(uint32_t wait_s, bool read_only) {
  start.state = START_WAITS;
  start.read_only = read_only;
  start.late_us = sys_time_us() + wait_s * 1000000ull;
  disk_begin_start();
}

bool start_is_awaited(void) {
  return start.state == START_WAITS;
}

static void mount(void) {
  if (start.state == START_IS_LATE) sys_log("the disk has come");
  start.state = START_ENDED;
  volume_mount(start.read_only);
  parked_wake();
}

static void give_up_waiting(void) {
  start.state = START_IS_LATE;
  sys_log("the disk does not come up: driver %s: %s; requests fail until it does",
          sys_name(disk_driver()), sys_strerror(disk_start_error()));
  parked_wake();
}

void start_go_on(void) {
  if (start.state == START_ENDED) return;
  if (disk_is_up())
    mount();
  else if (start.state == START_WAITS && sys_time_us() >= start.late_us)
    give_up_waiting();
}
