#include "bus/tables.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/memory.h"
#include "bus/programs.h"
#include "bus/request.h"

static struct {
  char *text;
  size_t cap;
} reason;
ST_VAR(reason, dont_transfer);

/* Always false, to be returned. */
__attribute__((format(printf, 2, 3))) static bool wrong(const struct endpoint *e, const char *fmt,
                                                        ...) {
  va_list ap;
  int n = snprintf(reason.text, reason.cap, "endpoint %d: ", e->id);
  va_start(ap, fmt);
  vsnprintf(reason.text + n, reason.cap - (size_t)n, fmt, ap);
  va_end(ap);
  return false;
}

/* ---- versions ---- */

static bool is_listed(const struct version *wanted) {
  const struct version *v;
  LIST_FOREACH (v, &versions, link)
    if (v == wanted) return true;
  return false;
}

/* A channel is listened to from the spawn to the end. */
static bool check_version(const struct endpoint *e, const struct version *v, const char *which) {
  if (!v) return true;
  if (v->endpoint != e) return wrong(e, "its %s version serves another one", which);
  if (!is_listed(v)) return wrong(e, "its %s version is not listed", which);
  if (v->state == VERSION_SPAWNING || v->state == VERSION_ENDING) return true;
  if (!loop_has(v->channel, v)) return wrong(e, "its %s version is not listened to", which);
  return true;
}

static bool needs_version(enum endpoint_state s) {
  return s == ENDPOINT_STARTING || s == ENDPOINT_RUNNING || s == ENDPOINT_CONVERGING ||
         s == ENDPOINT_FROZEN || s == ENDPOINT_STOPPING;
}

static bool check_versions(const struct endpoint *e) {
  if (needs_version(e->state) != (e->live != NULL))
    return wrong(e, "is %s, and %s a version", endpoint_state_name(e->state),
                 e->live ? "has" : "lacks");
  bool held = e->state == ENDPOINT_CONVERGING || e->state == ENDPOINT_FROZEN;
  if (held != (e->held_since_us != 0)) return wrong(e, "is held in one table only");
  if (e->live && e->live->state == VERSION_CALLING && e->requests[0].state == REQUEST_FREE)
    return wrong(e, "waits for no request");
  return check_version(e, e->live, "live") && check_version(e, e->next, "new");
}

static bool check_stop(const struct endpoint *e) {
  if (stop_excuses(e) != (e->stop.since_us != 0)) return wrong(e, "is stopped in one table only");
  if (e->stop.reasons && !e->live) return wrong(e, "is stopped, and has no version");
  return true;
}

/* ---- requests ---- */

#define QUEUE_MAX (ENDPOINTS_MAX * 256u) /* more requests than there can be */

/* A queue that has no end is found by check_requests(). */
static unsigned times_in(const struct request_queue *queue, const struct request *wanted) {
  const struct request *r;
  unsigned n = 0, left = QUEUE_MAX;
  TAILQ_FOREACH (r, queue, link) {
    if (!left--) break;
    n += r == wanted;
  }
  return n;
}

static bool check_request(const struct endpoint *e, const struct request *r, unsigned slot) {
  const struct endpoint *callee = bus_endpoint(r->callee);
  if (r->slot != slot) return wrong(e, "request %u has slot %u", slot, r->slot);
  if (r->state == REQUEST_FREE) return true;
  if (r->caller != e->id) return wrong(e, "request %u is of caller %d", slot, r->caller);
  if (!callee && r->state != REQUEST_ANSWERED) return wrong(e, "request %u is for nobody", slot);
  unsigned waiting = callee ? times_in(&callee->inbox, r) : 0;
  unsigned answered = times_in(&e->answers, r);
  if (waiting != (r->state == REQUEST_QUEUED) || answered != (r->state == REQUEST_ANSWERED))
    return wrong(e, "request %u is in a queue that it is not in by its state", slot);
  if (r->state != REQUEST_ANSWERED && r->m.token != request_token(r))
    return wrong(e, "request %u has the token of another one", slot);
  return true;
}

static bool check_requests(const struct endpoint *e) {
  unsigned calls = 0, queued = 0;
  const struct request *r;
  for (unsigned i = 0; i < e->nrequests; i++) {
    if (!check_request(e, &e->requests[i], i)) return false;
    calls += i > 0 && e->requests[i].state != REQUEST_FREE;
  }
  if (calls != e->calls_in_flight)
    return wrong(e, "%u calls in flight, but %u are counted", calls, e->calls_in_flight);
  TAILQ_FOREACH (r, &e->inbox, link) {
    if (r->callee != e->id || r->state != REQUEST_QUEUED)
      return wrong(e, "its inbox has a request that is not for it");
    if (++queued > QUEUE_MAX) return wrong(e, "its inbox has no end");
  }
  if (e->inbox.tqh_last == NULL || *e->inbox.tqh_last) return wrong(e, "its inbox has no end");
  return true;
}

/* ---- the rest ---- */

static bool check_notified(const struct endpoint *e) {
  for (unsigned id = 0; id <= bus.nendpoints; id++)
    if ((e->notified >> id & 1) != (e->bits[id] != 0))
      return wrong(e, "bits of endpoint %u are pending in one table only", id);
  return true;
}

static bool check_watches(const struct endpoint *e) {
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++) {
    const struct watch *w = &e->watches.by_bit[bit];
    if ((w->state == WATCH_ARMED) != (w->state != WATCH_NONE && loop_has(w->fd, e)))
      return wrong(e, "its watch %u is armed in one table only", bit);
  }
  return true;
}

static bool check_program(const struct endpoint *e) {
  const char *problem = programs_check(e);
  return problem ? wrong(e, "%s", problem) : true;
}

static bool check_endpoint(const struct endpoint *e, endpoint_t id) {
  if (e->id != id) return wrong(e, "stands at place %d", id);
  if (e->component != &bus.manifest->components[id - 1]) return wrong(e, "is another component");
  return check_versions(e) && check_requests(e) && check_notified(e) && check_watches(e) &&
         check_program(e) && check_stop(e);
}

int tables_check(char *why, size_t cap) {
  reason.text = why;
  reason.cap = cap;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (!check_endpoint(bus_endpoint(id), id)) return -EINVAL;
  return memory_check(why, cap) ? 0 : -EINVAL;
}
