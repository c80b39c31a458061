#include "bus/shutdown.h"

#include <stdbool.h>

#include "bus/boot.h"
#include "bus/bus.h"
#include "bus/lifecycle.h"
#include "bus/link.h"
#include "bus/probation.h"
#include "bus/timer.h"
#include "bus/update.h"

static uint64_t deadline_us; /* for all components together; then the loader kills what is left */
static int exit_status;

static bool is_gone(const struct endpoint *e) {
  switch (e->state) {
  case ENDPOINT_DOWN:
  case ENDPOINT_DEAD:
  case ENDPOINT_RECOVERING:
  case ENDPOINT_STOPPED:
    return true;
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
  case ENDPOINT_FROZEN:
  case ENDPOINT_STOPPING:
    break;
  }
  return false;
}

static bool callers_gone(const struct endpoint *e) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *caller = bus_endpoint(id);
    if (caller->edges[e->id].rights & BUS_RIGHT_SENDREC && !is_gone(caller)) return false;
  }
  return true;
}

static void end(struct endpoint *e) {
  schedule_yield(e);
  if (e->next) version_kill(e->next, NULL);
  if (e->component->program)
    version_kill(e->live, NULL);
  else
    version_end(e->live);
}

void shutdown_continue(void) {
  bool all_gone = true;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *e = bus_endpoint(id);
    if (is_gone(e)) continue;
    all_gone = false;
    if (callers_gone(e) && !(e->live->controls & CONTROL_SHUTDOWN)) end(e);
  }
  if (all_gone) link_shutdown(exit_status);
}

/* Who waits for one that shall not come back would not hear of the end. */
static void give_up_recoveries(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (bus_endpoint(id)->state == ENDPOINT_RECOVERING) lifecycle_stop(bus_endpoint(id));
}

void shutdown_begin(const char *why, int status) {
  if (bus.state == BUS_STOPPING) return;
  bool booted = bus.state == BUS_RUNNING;
  bus.state = BUS_STOPPING;
  exit_status = status;
  bus_log("the instance ends: %s", why);
  if (!booted) {
    boot_end(why);
    link_shutdown(status);
    return;
  }
  update_abort_all();
  probation_end_all();
  give_up_recoveries();
  deadline_us = bus_now_us() + bus.manifest->timeouts.stop * 1000ull;
  timer_at(deadline_us);
  shutdown_continue();
}

uint64_t shutdown_expire(uint64_t now_us) {
  if (!deadline_us) return UINT64_MAX;
  if (deadline_us > now_us) return deadline_us;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (!is_gone(bus_endpoint(id)))
      bus_log("%s does not end by itself and is killed", bus_endpoint(id)->component->name);
  deadline_us = 0;
  link_shutdown(exit_status);
  return UINT64_MAX;
}
