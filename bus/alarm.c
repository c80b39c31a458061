#include "bus/alarm.h"

#include <errno.h>

#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/timer.h"

int alarm_set(struct endpoint *e, uint32_t bit, uint64_t at_us) {
  if (bit >= KERNEL_BITS) return -EINVAL;
  uint64_t mask = 1ull << bit;
  e->alarms.set &= ~mask;
  if (!at_us) return 0;
  e->alarms.set |= mask;
  e->alarms.at_us[bit] = at_us;
  timer_at(at_us);
  return 0;
}

void alarm_cancel_all(struct endpoint *e) {
  e->alarms.set = 0;
}

void alarm_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us) {
  for (uint64_t left = e->alarms.set; left; left &= left - 1) {
    uint64_t *at_us = &e->alarms.at_us[__builtin_ctzll(left)];
    *at_us = debug_later(*at_us, stopped_us, now_us);
  }
}

uint64_t alarm_expire(struct endpoint *e, uint64_t now_us) {
  uint64_t next = UINT64_MAX, due = 0;
  for (uint64_t left = e->alarms.set; left; left &= left - 1) {
    unsigned bit = (unsigned)__builtin_ctzll(left);
    if (e->alarms.at_us[bit] <= now_us)
      due |= 1ull << bit;
    else if (e->alarms.at_us[bit] < next)
      next = e->alarms.at_us[bit];
  }
  if (due && e == bus_update_manager() && bus_clock_stopped()) return next;
  e->alarms.set &= ~due;
  if (due) endpoint_notify_kernel(e, due);
  return next;
}
