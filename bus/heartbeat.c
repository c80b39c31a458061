#include "bus/heartbeat.h"

#include <stdbool.h>
#include <stdio.h>

#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/timer.h"

enum { TICKS = 4 }; /* in a heartbeat */

static void next_tick(struct endpoint *e, uint64_t now_us) {
  e->heartbeat.at_us = now_us + e->component->heartbeat_ms * 1000ull / TICKS;
  timer_at(e->heartbeat.at_us);
}

void heartbeat_start(struct endpoint *e) {
  if (!e->component->heartbeat_ms) return;
  if (e->live->plain) {
    bus_log("%s: heartbeat_ms is for components with an event loop: it has none",
            e->component->name);
    return;
  }
  e->heartbeat = (struct heartbeat){.exchanges = e->live->exchanges};
  next_tick(e, bus_now_us());
}

void heartbeat_stop(struct endpoint *e) {
  e->heartbeat.at_us = 0;
}

/* Who is held by an update has the update's limits; who waits for others, theirs. */
static bool counts(const struct endpoint *e) {
  if (e->state != ENDPOINT_RUNNING || e->next || stop_excuses(e)) return false;
  switch (e->live->state) {
  case VERSION_BUSY:
  case VERSION_RECEIVING:
    return true;
  case VERSION_SPAWNING:
  case VERSION_CALLING:
  case VERSION_IN_KERNEL:
  case VERSION_ENDING:
    break;
  }
  return false;
}

static void end(struct endpoint *e) {
  char why[96];
  snprintf(why, sizeof(why), "did not answer for %u ms (heartbeat_ms)", e->component->heartbeat_ms);
  e->hung++;
  version_kill(e->live, why);
}

static void tick(struct endpoint *e) {
  struct heartbeat *h = &e->heartbeat;
  struct version *v = e->live;
  if (!counts(e) || v->exchanges != h->exchanges) {
    h->silent = 0;
  } else if (++h->silent >= TICKS) {
    /* Whether a debugger holds it is only asked of one that would be ended. */
    h->silent = 0;
    if (!bus_clock_stopped()) end(e);
  } else if (v->state == VERSION_RECEIVING && h->silent >= TICKS / 2) {
    h->silent = 0;
    version_control(v, CONTROL_PING);
  }
  h->exchanges = v->exchanges;
}

uint64_t heartbeat_expire(struct endpoint *e, uint64_t now_us) {
  struct heartbeat *h = &e->heartbeat;
  if (!h->at_us) return UINT64_MAX;
  if (h->at_us > now_us) return h->at_us;
  if (!e->live || !e->component->heartbeat_ms || bus.state == BUS_STOPPING) {
    heartbeat_stop(e);
    return UINT64_MAX;
  }
  tick(e);
  next_tick(e, now_us);
  return h->at_us;
}
