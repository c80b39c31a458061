#include "bus/reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/boot.h"
#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/heartbeat.h"
#include "bus/lifecycle.h"
#include "bus/log.h"
#include "bus/manifest_diff.h"
#include "bus/operator.h"
#include "bus/region.h"
#include "bus/update.h"
#include "bus/wire.h"
#include "proto/printable.h"

struct reload {
  struct manifest *wanted;
  uint64_t added, removed; /* endpoints */
  bool time_outs;          /* have changed */
  unsigned changes, refusals;
  FILE *changed, *refused; /* lines about each */
};

/* ---- lines ---- */

static void say(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(FILE *to, const char *fmt, ...) {
  char line[1024];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof(line), fmt, ap);
  va_end(ap);
  printable_make(line); /* it may quote the file */
  fprintf(to, "%s%s", ftell(to) > 0 ? "\n" : "", line);
}

static void say_problem(void *arg, const char *line) {
  say(arg, "%s", line);
}

#define REFUSE(r, ...) (say((r)->refused, __VA_ARGS__), (void)(r)->refusals++)

/* "net: args", "region nic0.bar: share", "timeouts_ms: load" */
static const char *describe(const struct manifest_change *c) {
  static char text[256];
  const char *kind = strcmp(c->what, "component") == 0 ? "" : c->what;
  snprintf(text, sizeof(text), "%s%s%s%s%s", kind, *kind ? " " : "", c->name,
           c->kind == CHANGE_CHANGED && *c->name ? ": " : "",
           c->kind == CHANGE_CHANGED ? c->key : "");
  return text;
}

static void say_change(struct reload *r, const struct manifest_change *c) {
  static const char *const verbs[] = {"added", "removed", "changed"};
  const char *when = c->effect == EFFECT_NEXT_VERSION ? ", for its next start or update"
                     : c->effect == EFFECT_NEXT_START ? ", for its next start"
                                                      : "";
  say(r->changed, "%s %s%s", describe(c), verbs[c->kind], when);
  r->changes++;
}

static void refuse_change(struct reload *r, const struct manifest_change *c, const char *reason) {
  static const char *const verbs[] = {"be added", "be removed", "change"};
  REFUSE(r, "%s cannot %s: %s", describe(c), verbs[c->kind], reason);
}

/* ---- what may change ---- */

static const struct endpoint *find(const char *name) {
  return bus_endpoint(manifest_find(bus.manifest, name));
}

static bool shares(const struct manifest_region *r, const char *name) {
  for (unsigned i = 0; i < r->share_count; i++)
    if (strcmp(r->share[i], name) == 0) return true;
  return false;
}

/* Whether a component that stays may have it mapped.
 * @param except  those that share this one do not count; may be NULL */
static bool is_used(const struct reload *r, const struct manifest_region *region,
                    const struct manifest_region *except) {
  for (unsigned i = 0; i < region->share_count; i++) {
    const char *name = region->share[i];
    bool counts = !except || !shares(except, name);
    const struct endpoint *e = find(name);
    bool has_it = e->live || e->state == ENDPOINT_RECOVERING;
    if (counts && has_it && manifest_find(r->wanted, name)) return true;
  }
  return false;
}

/* @return why a component cannot go, or NULL */
static const char *why_not_remove(const struct endpoint *e) {
  if (e == bus_update_manager()) return "it is the update manager";
  return debug_holds(e) ? "a debugger holds it" : NULL;
}

/* @return why one cannot come whose name was there before, or NULL */
static const char *why_not_add(const struct reload *r, const char *name) {
  const struct endpoint *e = bus_endpoint(manifest_find(r->wanted, name));
  return e && e->live ? "the former one is still being stopped" : NULL;
}

static const char *why_not(const struct reload *r, const struct manifest_change *c) {
  switch (c->effect) {
  case EFFECT_NEVER:
    return "the instance runs";
  case EFFECT_IF_UNUSED:
    return is_used(r, c->running, NULL) ? "it is in use" : NULL;
  case EFFECT_IF_LEFT:
    return is_used(r, c->running, c->wanted) ? "it is in use" : NULL;
  case EFFECT_NOW:
  case EFFECT_NEXT_VERSION:
  case EFFECT_NEXT_START:
    break;
  }
  bool is_component = strcmp(c->what, "component") == 0;
  if (is_component && c->kind == CHANGE_REMOVED) return why_not_remove(find(c->name));
  if (is_component && c->kind == CHANGE_ADDED) return why_not_add(r, c->name);
  return NULL;
}

static void note_moves(struct reload *r, const struct manifest_change *c) {
  if (strcmp(c->what, "component") == 0 && c->kind == CHANGE_ADDED)
    r->added |= 1ull << manifest_find(r->wanted, c->name);
  if (strcmp(c->what, "component") == 0 && c->kind == CHANGE_REMOVED)
    r->removed |= 1ull << manifest_find(bus.manifest, c->name);
  r->time_outs |= c->kind == CHANGE_CHANGED && !*c->what;
}

static void judge(void *arg, const struct manifest_change *c) {
  struct reload *r = arg;
  const char *reason = why_not(r, c);
  if (reason) {
    refuse_change(r, c, reason);
    return;
  }
  note_moves(r, c);
  say_change(r, c);
}

static void check_instance(struct reload *r) {
  if (bus.state != BUS_RUNNING) REFUSE(r, "the instance is booting or ending");
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const char *why = operator_why_not_now(bus_endpoint(id));
    if (why) REFUSE(r, "%s %s", bus_endpoint(id)->component->name, why);
  }
}

static void compare(struct reload *r) {
  if (manifest_renumber(r->wanted, bus.manifest))
    manifest_compare(bus.manifest, r->wanted, judge, r);
  else
    REFUSE(r, "there have been %u components, removed ones included: there can be no more",
           MANIFEST_COMPONENTS_MAX);
}

/* ---- what may fail ---- */

/* Makes the endpoints that no component has had before; they do not count yet. */
static int make_endpoints(const struct manifest *wanted) {
  for (unsigned i = bus.nendpoints; i < wanted->components_count; i++) {
    struct endpoint *e = &bus.endpoints[i + 1];
    int error = endpoint_init(e, (endpoint_t)i + 1, &wanted->components[i]);
    if (!error) error = log_open(e);
    if (error) return error;
  }
  return 0;
}

static void unmake_endpoints(const struct manifest *wanted) {
  for (unsigned i = bus.nendpoints; i < wanted->components_count; i++) {
    struct endpoint *e = &bus.endpoints[i + 1];
    if (!e->requests) continue;
    log_close(e);
    endpoint_deinit(e);
    *e = (struct endpoint){0};
  }
}

static void make(struct reload *r) {
  int error = region_prepare(r->wanted);
  if (error) {
    REFUSE(r, "regions: %s", strerror(-error));
    return;
  }
  error = make_endpoints(r->wanted);
  if (!error) return;
  REFUSE(r, "components: %s", strerror(-error));
  unmake_endpoints(r->wanted);
  region_unprepare();
}

/* ---- all ---- */

static void prepare(struct reload *r, const char *path) {
  check_instance(r);
  if (r->refusals) return;
  struct manifest *loaded = manifest_load_and_report(path, say_problem, r->refused);
  r->refusals += !loaded;
  if (loaded && !(r->wanted = manifest_copy(loaded))) REFUSE(r, "out of memory");
  manifest_free(loaded);
  if (!r->refusals) compare(r);
  if (!r->refusals) make(r);
}

struct reload *reload_prepare(const char *path, char **text) {
  struct reload *r = calloc(1, sizeof(*r));
  char *changed = NULL, *refused = NULL;
  size_t bytes;
  *text = NULL;
  if (!r) return NULL;
  r->changed = open_memstream(&changed, &bytes);
  r->refused = open_memstream(&refused, &bytes);
  bool ready = r->changed && r->refused;
  if (ready) prepare(r, *path ? path : bus.manifest->path);
  if (ready && !r->changes) say(r->changed, "nothing has changed");
  if (r->changed) fclose(r->changed);
  if (r->refused) fclose(r->refused);
  bool good = ready && !r->refusals;
  *text = good ? changed : refused;
  free(good ? refused : changed);
  if (good) return r;
  manifest_copy_free(r->wanted);
  free(r);
  return NULL;
}

uint64_t reload_moves(const struct reload *r) {
  uint64_t moves = r->added;
  for (uint64_t left = r->removed; left; left &= left - 1) {
    endpoint_t id = __builtin_ctzll(left);
    if (bus_endpoint(id)->live) moves |= 1ull << id;
  }
  return moves;
}

/* While their edges still say who is to be told. */
static void stop_removed(uint64_t removed) {
  for (; removed; removed &= removed - 1) {
    struct endpoint *e = bus_endpoint(__builtin_ctzll(removed));
    if (e->state != ENDPOINT_STOPPING) lifecycle_stop(e);
  }
}

static bool is_up(const struct endpoint *e) {
  return e->live && e->state != ENDPOINT_STARTING && e->state != ENDPOINT_STOPPING;
}

static void restart_heartbeats(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    heartbeat_stop(bus_endpoint(id));
    if (is_up(bus_endpoint(id))) heartbeat_start(bus_endpoint(id));
  }
}

static void start_added(uint64_t added) {
  for (; added; added &= added - 1) {
    struct endpoint *e = bus_endpoint(__builtin_ctzll(added));
    e->state = ENDPOINT_DOWN;
    e->failures = 0; /* those of a former one of its name */
  }
  boot_start_next();
}

void reload_apply(struct reload *r) {
  struct manifest *former = bus.manifest;
  bus_log("the manifest %s is reloaded", r->wanted->path);
  stop_removed(r->removed);
  bus_adopt(r->wanted);
  region_adopt(former);
  wire_adopt();
  manifest_copy_free(former);
  restart_heartbeats();
  if (r->time_outs) update_tell_time_outs();
  start_added(r->added);
  free(r);
}
