#include "bus/operator.h"

#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/probation.h"
#include "bus/update.h"

static struct endpoint *find(const char *name, char *why, size_t cap) {
  struct endpoint *e = bus_endpoint(manifest_find(bus.manifest, name));
  if (bus.state != BUS_RUNNING)
    snprintf(why, cap, "the instance is booting or ending");
  else if (strcmp(name, "busd") == 0)
    snprintf(why, cap, "busd is the instance itself: prctl boot and prctl shutdown");
  else if (!e)
    snprintf(why, cap, "there is no component '%s'", name);
  else
    return e;
  return NULL;
}

static const char *why_not_program(const struct endpoint *e) {
  return e->component->program ? "is a place for programs, which others start and end" : NULL;
}

static const char *why_not_start(const struct endpoint *e) {
  if (why_not_program(e)) return why_not_program(e);
  switch (e->state) {
  case ENDPOINT_DOWN:
  case ENDPOINT_STARTING:
  case ENDPOINT_RECOVERING:
    return "is being started already";
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
  case ENDPOINT_FROZEN:
    return "is running already";
  case ENDPOINT_STOPPING:
    return "is still being stopped";
  case ENDPOINT_DEAD:
  case ENDPOINT_STOPPED:
    break;
  }
  return NULL;
}

const char *operator_why_not_now(const struct endpoint *e) {
  if (probation_is_on(e)) return "is on probation since its last update";
  return update_involves(e) ? "is being updated" : NULL;
}

static const char *why_not_stop(const struct endpoint *e) {
  if (why_not_program(e)) return why_not_program(e);
  if (e == bus_update_manager())
    return "is the update manager, without which nothing can be updated: it is not stopped";
  if (operator_why_not_now(e)) return operator_why_not_now(e);
  if (debug_holds(e)) return "is held by a debugger";
  switch (e->state) {
  case ENDPOINT_STOPPING:
    return "is being stopped already";
  case ENDPOINT_STOPPED:
    return "is stopped already";
  case ENDPOINT_DOWN:
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
  case ENDPOINT_FROZEN:
  case ENDPOINT_RECOVERING:
  case ENDPOINT_DEAD:
    break;
  }
  return NULL;
}

static const char *why_not_debug(const struct endpoint *e) {
  if (e == bus_update_manager()) return "is the update manager: it lets no debugger in";
  if (operator_why_not_now(e)) return operator_why_not_now(e);
  return e->live && e->live->pid ? NULL : "is not running";
}

static struct endpoint *permit(const char *name, const char *(*why_not)(const struct endpoint *),
                               char *why, size_t cap) {
  struct endpoint *e = find(name, why, cap);
  const char *reason = e ? why_not(e) : NULL;
  if (!reason) return e;
  snprintf(why, cap, "%s %s", e->component->name, reason);
  return NULL;
}

struct endpoint *operator_start(const char *name, char *why, size_t cap) {
  return permit(name, why_not_start, why, cap);
}

struct endpoint *operator_stop(const char *name, char *why, size_t cap) {
  return permit(name, why_not_stop, why, cap);
}

struct endpoint *operator_debug(const char *name, char *why, size_t cap) {
  return permit(name, why_not_debug, why, cap);
}
