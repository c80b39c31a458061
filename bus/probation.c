#include "bus/probation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/alarm.h"
#include "bus/bus.h"
#include "bus/control.h"
#include "bus/debug.h"
#include "bus/link.h"
#include "bus/log.h"
#include "bus/programs.h"
#include "bus/request.h"
#include "bus/timer.h"
#include "bus/update.h"
#include "bus/watch.h"
#include "libst/annotate.h"
#include "libst/fault.h"

/* A call that was in flight when the old version froze. */
struct kept_call {
  enum request_state state; /* REQUEST_FREE: there was none */
  uint32_t sequence;
  unsigned rank;  /* of its answer, from 1, if it is one of those that waited */
  msg_t answer;   /* the one that waited, or else that it is lost */
  msg_t question; /* of one that was QUEUED */
  void *payload;  /* of the answer that waited, or of the question */
};

struct probation {
  struct version *former;
  uint64_t txid, until_us;
  /* As they were when it froze. */
  struct kept_call *calls; /* by slot */
  unsigned ncalls, nanswers;
  struct alarms alarms;
  struct watches watches; /* descriptors are duplicates */
  /* Delivered since then. */
  uint64_t notified, bits[ENDPOINTS_MAX];
  uint64_t exited, restarted;
};

/* ---- what is kept ---- */

/* Without memory it counts as lost. */
static void keep_message(struct kept_call *k, const struct request *r, msg_t *m) {
  char *payload = malloc(r->m.payload + 1);
  if (!payload) return;
  if (r->m.payload) memcpy(payload, r->payload, r->m.payload);
  k->payload = payload;
  *m = r->m;
}
ST_BLOCKS(keep_message, opaque);

static void keep_calls(struct probation *p, const struct endpoint *e) {
  for (unsigned i = 0; i < p->ncalls; i++) {
    const struct request *r = &e->requests[i];
    if (r->state == REQUEST_FREE) continue;
    p->calls[i] = (struct kept_call){.state = r->state,
                                     .sequence = r->sequence,
                                     .answer = {.source = r->callee,
                                                .type = r->m.type,
                                                .status = -SYS_ERESTARTED,
                                                .cookie = r->cookie}};
    if (r->state == REQUEST_QUEUED) keep_message(&p->calls[i], r, &p->calls[i].question);
  }
  const struct request *r;
  TAILQ_FOREACH (r, &e->answers, link) {
    struct kept_call *k = &p->calls[r->slot];
    k->rank = ++p->nanswers;
    keep_message(k, r, &k->answer);
  }
}

/* The old version has it and owes an answer: the new one has it as well. */
static void share(struct request *r, void *arg) {
  (void)arg;
  r->shared |= r->state == REQUEST_DELIVERED;
}

static void keep_watches(struct probation *p, const struct endpoint *e) {
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++) {
    const struct watch *w = &e->watches.by_bit[bit];
    if (w->state == WATCH_NONE) continue;
    p->watches.by_bit[bit] = *w;
    p->watches.by_bit[bit].fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);
  }
}

static void each_member(uint64_t txid, void (*step)(struct endpoint *e)) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *e = bus_endpoint(id);
    if (e->probation && e->probation->txid == txid) step(e);
  }
}

static void drop(struct endpoint *e) {
  struct probation *p = e->probation;
  e->probation = NULL;
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++)
    if (p->watches.by_bit[bit].state != WATCH_NONE) close(p->watches.by_bit[bit].fd);
  for (unsigned i = 0; i < p->ncalls; i++)
    free(p->calls[i].payload);
  free(p->calls);
  free(p);
}

bool probation_begin(struct endpoint *e, struct version *old, uint64_t txid, uint64_t until_us) {
  struct probation *p = st_fault("probation.begin", ENOMEM) ? NULL : calloc(1, sizeof(*p));
  if (p) p->calls = calloc(e->nrequests, sizeof(*p->calls));
  if (!p || !p->calls) {
    free(p);
    return false;
  }
  p->former = old;
  p->txid = txid;
  p->until_us = until_us;
  p->ncalls = e->nrequests;
  p->alarms = e->alarms;
  keep_calls(p, e);
  request_each(e, share, NULL);
  keep_watches(p, e);
  e->probation = p;
  timer_at(until_us);
  return true;
}

bool probation_is_on(const struct endpoint *e) {
  return e->probation != NULL;
}

uint32_t probation_left_ms(const struct endpoint *e) {
  uint64_t now = bus_now_us();
  if (!e->probation) return 0;
  return e->probation->until_us > now ? (uint32_t)((e->probation->until_us - now) / 1000 + 1) : 1;
}

uint32_t probation_longest_ms(void) {
  uint32_t longest = 0;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    uint32_t ms = probation_left_ms(bus_endpoint(id));
    if (ms > longest) longest = ms;
  }
  return longest;
}

void probation_delivered(struct endpoint *e, const msg_t *m) {
  struct probation *p = e->probation;
  if (!p) return;
  switch (m->type) {
  case SYS_NOTIFIED:
    p->notified |= 1ull << m->source;
    p->bits[m->source] |= m->bits;
    break;
  case SYS_EXITED:
    p->exited |= 1ull << m->i32[0];
    break;
  case SYS_RESTARTED:
    p->restarted |= 1ull << m->i32[0];
    break;
  }
}

/* ---- it goes well ---- */

static void tell_um(uint64_t txid, bool kept, const struct endpoint *who) {
  msg_t m = {.type = UM_PROBATION, .u64 = {txid}};
  m.u32[2] = kept;
  m.i32[3] = who ? who->id : 0;
  update_tell_um(&m, NULL);
}

bool probation_holds(uint64_t txid) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct probation *p = bus_endpoint(id)->probation;
    if (p && p->txid == txid) return true;
  }
  return false;
}

void probation_none(uint64_t txid) {
  tell_um(txid, true, NULL);
}

/* The new version stays, whatever happens to it. */
static void pass(struct endpoint *e) {
  struct version *former = e->probation->former;
  st_pass("probation.pass");
  drop(e);
  if (former) update_retire(former);
  version_control(e->live, CONTROL_PASSED);
}

void probation_cancel(uint64_t txid) {
  each_member(txid, drop);
}

static void pass_all(uint64_t txid) {
  each_member(txid, pass);
  tell_um(txid, true, NULL);
}

uint64_t probation_expire(uint64_t now_us) {
  uint64_t next = UINT64_MAX;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct probation *p = bus_endpoint(id)->probation;
    if (!p) continue;
    if (p->until_us <= now_us && !bus_clock_stopped())
      pass_all(p->txid);
    else if (p->until_us > now_us && p->until_us < next)
      next = p->until_us;
  }
  return next;
}

void probation_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us) {
  if (e->probation)
    e->probation->until_us = debug_later(e->probation->until_us, stopped_us, now_us);
}

void probation_end_all(void) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    if (bus_endpoint(id)->probation) pass(bus_endpoint(id));
}

void probation_old_exited(const struct version *v) {
  struct probation *p = v->endpoint->probation;
  if (!p || p->former != v) return;
  bus_log("%s: the old version is gone within its probation, which ends",
          v->endpoint->component->name);
  p->former = NULL;
  pass_all(p->txid);
}

/* ---- it fails ---- */

/* Only the failed version had it. */
static void fail_unshared(struct request *r, void *arg) {
  (void)arg;
  if (r->state == REQUEST_DELIVERED && !r->shared)
    request_answer(r, -SYS_ERESTARTED, &(msg_t){0}, NULL);
}

static bool is_kept(const struct kept_call *k, const struct request *r) {
  return k->state != REQUEST_FREE && r->state != REQUEST_FREE && r->sequence == k->sequence;
}

static bool is_of_a_member(const struct probation *p, const struct kept_call *k) {
  const struct probation *callee = bus_endpoint(k->answer.source)->probation;
  return callee && callee->txid == p->txid;
}

/* What the failed version of another member answered never happened. */
static bool is_undone(const struct probation *p, const struct kept_call *k,
                      const struct request *r) {
  bool answered = r->state == REQUEST_ANSWERED || r->state == REQUEST_FREE;
  return k->state != REQUEST_ANSWERED && answered && is_of_a_member(p, k);
}

static void end_call(struct endpoint *e, const struct kept_call *k, struct request *r) {
  request_answer_again(r, e->id, &k->answer, k->payload);
  request_put_first(r);
}

/* An old version's call goes on as it was, or ends: by the answer that waited for it, or as lost.
 */
static void take_back_call(struct endpoint *e, const struct kept_call *k, struct request *r) {
  if (is_undone(e->probation, k, r)) {
    request_free(r);
    if (k->state == REQUEST_DELIVERED) request_owe_again(r, e->id, &k->answer, k->sequence);
    return; /* QUEUED: see ask_again() */
  }
  if (r->state == REQUEST_FREE) end_call(e, k, r);
}

/* @param last  NULL: the first one
 * @return NULL: there is none that waited for another member and was asked later */
static const struct kept_call *next_question(const struct probation *p,
                                             const struct kept_call *last) {
  const struct kept_call *next = NULL;
  for (const struct kept_call *k = p->calls; k < p->calls + p->ncalls; k++) {
    if (k->state != REQUEST_QUEUED || !is_of_a_member(p, k)) continue;
    if (last && k->sequence <= last->sequence) continue;
    if (!next || k->sequence < next->sequence) next = k;
  }
  return next;
}

/* What waited when the old version froze waits for the old one of the other member, in the order in
 * which it was asked, whether a failed version has had it meanwhile or not. */
static void ask_again(struct endpoint *e) {
  const struct probation *p = e->probation;
  for (const struct kept_call *k = NULL; (k = next_question(p, k));) {
    struct request *r = &e->requests[k - p->calls];
    if (r->state == REQUEST_QUEUED)
      request_put_last(r);
    else if (!k->payload || !request_ask_again(r, e->id, k->answer.source, &k->question, k->payload,
                                               k->answer.cookie, k->sequence))
      end_call(e, k, r);
  }
}

/* The failed version's calls are forgotten. Answers come in the order in which they were given:
 * those that waited when the old version froze, then what is lost, then those given since. */
static void take_back_calls(struct endpoint *e) {
  const struct probation *p = e->probation;
  for (unsigned i = 0; i < p->ncalls; i++)
    if (!is_kept(&p->calls[i], &e->requests[i])) request_free(&e->requests[i]);
  for (unsigned i = p->ncalls; i-- > 0;)
    if (p->calls[i].state != REQUEST_FREE) take_back_call(e, &p->calls[i], &e->requests[i]);
  ask_again(e);
  for (unsigned rank = p->nanswers; rank > 0; rank--)
    for (unsigned i = 0; i < p->ncalls; i++)
      if (p->calls[i].rank == rank) request_put_first(&e->requests[i]);
}

static void take_back_watches(struct endpoint *e) {
  struct watches *kept = &e->probation->watches;
  watch_end_all(e);
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++) {
    struct watch *w = &kept->by_bit[bit];
    if (w->state == WATCH_NONE) continue;
    int error = watch_start(e, w->number, w->fd, w->events, bit);
    if (error) bus_log("%s: descriptor %d is not watched", e->component->name, w->number);
    w->state = WATCH_NONE; /* its descriptor is taken over */
  }
}

static void take_back_notifications(struct endpoint *e) {
  const struct probation *p = e->probation;
  e->notified |= p->notified;
  for (unsigned source = 0; source < ENDPOINTS_MAX; source++)
    e->bits[source] |= p->bits[source];
  e->exited |= p->exited;
  e->restarted |= p->restarted;
  e->alarms = p->alarms;
  e->bits[SYS_KERNEL] &= ~e->alarms.set; /* these come by themselves, and only once */
  if (!e->bits[SYS_KERNEL]) e->notified &= ~(1ull << SYS_KERNEL);
  for (uint64_t set = e->alarms.set; set; set &= set - 1)
    timer_at(e->alarms.at_us[__builtin_ctzll(set)]);
}

static void take_back_version(struct endpoint *e) {
  struct version *former = e->probation->former, *failed = e->live;
  st_pass("probation.take_back");
  if (failed->state != VERSION_ENDING) version_kill(failed, NULL);
  control_server_died(e); /* the former does not know what prctl has asked meanwhile */
  stop_forget(e);
  link_kill(former, SIGCONT); /* it may have been stopped by hand while it was the only one */
  e->live = former;
  e->state = ENDPOINT_RUNNING;
  version_control(former, CONTROL_THAW); /* before it is given anything else */
  e->updates--;
  log_version(e, former, "taken back");
}

static void take_back_requests(struct endpoint *e) {
  request_each(e, fail_unshared, NULL);
}

static void take_back_rest(struct endpoint *e) {
  take_back_watches(e);
  take_back_notifications(e);
  drop(e);
  programs_look_again(e);
}

bool probation_failed(struct endpoint *e, const char *how) {
  if (!e->probation || bus.state != BUS_RUNNING) return false;
  uint64_t txid = e->probation->txid;
  bus_log("%s (process %d) %s within its probation: the old version takes over", e->component->name,
          e->live->pid, how);
  each_member(txid, take_back_version);
  each_member(txid, take_back_requests);
  each_member(txid, take_back_calls);
  each_member(txid, take_back_rest);
  st_pass("probation.taken_back");
  tell_um(txid, false, e);
  return true;
}
