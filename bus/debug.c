#include "bus/debug.h"

#include "bus/alarm.h"
#include "bus/bus.h"
#include "bus/lifecycle.h"
#include "bus/probation.h"
#include "bus/request.h"
#include "bus/timer.h"
#include "bus/update.h"

#define LOOK_AGAIN_US 100000u
#define GRACE_US      1000000u

static unsigned holders[ENDPOINTS_MAX]; /* of prctl gdb, by endpoint */
static uint64_t stopped_since_us;       /* 0: the clocks go */

static bool is_traced(const struct version *v) {
  return v && v->pid && v->state != VERSION_ENDING && version_is_traced(v);
}

bool debug_holds(const struct endpoint *e) {
  return holders[e->id] || is_traced(e->live) || is_traced(e->next);
}

static bool anything_held(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (debug_holds(bus_endpoint(id))) return true;
  return false;
}

static void stop(void) {
  stopped_since_us = bus_now_us();
  timer_at(stopped_since_us + LOOK_AGAIN_US);
}

bool bus_clock_stopped(void) {
  if (bus.state == BUS_STOPPING) return false;
  if (!stopped_since_us && anything_held()) stop();
  return stopped_since_us != 0;
}

uint64_t debug_later(uint64_t at_us, uint64_t stopped_us, uint64_t now_us) {
  if (!at_us) return 0;
  uint64_t later = at_us + stopped_us;
  return later > now_us + GRACE_US ? later : now_us + GRACE_US;
}

static void go_on(uint64_t now_us) {
  uint64_t stopped_us = now_us - stopped_since_us;
  stopped_since_us = 0;
  update_delay(stopped_us, now_us);
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *e = bus_endpoint(id);
    endpoint_delay(e, stopped_us, now_us);
    lifecycle_delay(e, stopped_us, now_us);
    probation_delay(e, stopped_us, now_us);
    if (e == bus_update_manager()) alarm_delay(e, stopped_us, now_us);
  }
  timer_at(now_us);
}

void debug_begin(const struct endpoint *e) {
  holders[e->id]++;
  bus_log("a debugger is attached to %s: deadlines stand still", e->component->name);
  if (!stopped_since_us) stop();
}

void debug_end(const struct endpoint *e) {
  holders[e->id]--;
  timer_at(bus_now_us());
}

uint64_t debug_expire(uint64_t now_us) {
  if (!stopped_since_us) return UINT64_MAX;
  if (anything_held()) return now_us + LOOK_AGAIN_US;
  bus_log("no debugger is attached any more: deadlines go on");
  go_on(now_us);
  return UINT64_MAX;
}
