#include "bus/timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bus/alarm.h"
#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/heartbeat.h"
#include "bus/lifecycle.h"
#include "bus/loop.h"
#include "bus/probation.h"
#include "bus/shutdown.h"
#include "bus/update.h"

static int timer_fd = -1;
static uint64_t armed_us = UINT64_MAX;

static void arm(uint64_t at_us) {
  armed_us = at_us;
  if (timer_fd < 0 || at_us == UINT64_MAX) return;
  if (at_us == 0) at_us = 1; /* 0 would disarm */
  struct itimerspec t = {.it_value = {(time_t)(at_us / 1000000), (long)(at_us % 1000000) * 1000}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void timer_at(uint64_t at_us) {
  if (at_us < armed_us) arm(at_us);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void fired(int fd, void *arg) {
  uint64_t times, now = bus_now_us(), next;
  (void)arg;
  if (read(fd, &times, sizeof(times)) < 0) return;
  armed_us = UINT64_MAX;
  next = earlier(shutdown_expire(now), earlier(debug_expire(now), update_expire(now)));
  next = earlier(next, probation_expire(now));
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *e = bus_endpoint(id);
    next = earlier(next, alarm_expire(e, now));
    next = earlier(next, endpoint_expire(e, now));
    next = earlier(next, lifecycle_expire(e, now));
    next = earlier(next, heartbeat_expire(e, now));
    next = earlier(next, schedule_expire(e, now));
  }
  timer_at(next);
}

int timer_init(void) {
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer_fd < 0) return -errno;
  if (armed_us != UINT64_MAX) arm(armed_us);
  return loop_add(timer_fd, LOOP_READ, false, fired, NULL);
}

void timer_deinit(void) {
  if (timer_fd >= 0) {
    loop_forget(timer_fd);
    close(timer_fd);
  }
  timer_fd = -1;
  armed_us = UINT64_MAX;
}
