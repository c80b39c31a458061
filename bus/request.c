/* Requests: from a sendrec or call, over the callee's inbox, to the reply and its delivery. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/endpoint.h"
#include "bus/order.h"
#include "bus/programs.h"
#include "bus/request.h"
#include "bus/timer.h"
#include "bus/token.h"
#include "bus/trace.h"
#include "libst/annotate.h"

bool request_is_pending(const struct request *r) {
  return r->state == REQUEST_QUEUED || r->state == REQUEST_DELIVERED;
}

void request_each(const struct endpoint *callee, request_fn *fn, void *arg) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct endpoint *caller = bus_endpoint(id);
    for (unsigned i = 0; i < caller->nrequests; i++) {
      struct request *r = &caller->requests[i];
      if (request_is_pending(r) && r->callee == callee->id) fn(r, arg);
    }
  }
}

bool request_is_sendrec(const struct request *r) {
  return r->slot == SENDREC_SLOT;
}

uint64_t request_token(const struct request *r) {
  const struct endpoint *caller = bus_endpoint(r->caller);
  return token_pack((struct token){.caller = r->caller,
                                   .slot = r->slot,
                                   .incarnation = (uint16_t)caller->incarnation,
                                   .sequence = r->sequence});
}

static void drop_payload(struct request *r) {
  free(r->payload);
  r->payload = NULL;
}

void request_free(struct request *r) {
  switch (r->state) {
  case REQUEST_FREE:
    return;
  case REQUEST_QUEUED:
    TAILQ_REMOVE(&bus_endpoint(r->callee)->inbox, r, link);
    break;
  case REQUEST_ANSWERED:
    TAILQ_REMOVE(&bus_endpoint(r->caller)->answers, r, link);
    break;
  case REQUEST_DELIVERED:
    break;
  }
  if (!request_is_sendrec(r)) bus_endpoint(r->caller)->calls_in_flight--;
  drop_payload(r);
  r->state = REQUEST_FREE;
}

/* @return false when there is no memory */
static bool keep_payload(struct request *r, const void *payload) {
  r->payload = NULL;
  if (!r->m.payload) return true;
  r->payload = malloc(r->m.payload);
  if (r->payload) memcpy(r->payload, payload, r->m.payload);
  return r->payload != NULL;
}
ST_BLOCKS(keep_payload, opaque);

/* ---- asking ---- */

/* Would `caller` wait for a component that (over others) waits for it? A component waits for one
 * other at most, whether that has received its request yet or not. */
static bool closes_cycle(const struct endpoint *caller, const struct endpoint *callee) {
  while (callee != caller) {
    if (!callee->live || callee->live->state != VERSION_CALLING) return false;
    callee = bus_endpoint(callee->requests[SENDREC_SLOT].callee);
  }
  return true;
}

static int check(const struct endpoint *e, endpoint_t dst, const msg_t *m, uint32_t right) {
  const struct endpoint *callee = bus_endpoint(dst);
  if (!callee) return -SYS_EDEADSRCDST;
  if (!(e->edges[dst].rights & right)) return -EPERM;
  /* System messages and replies come from the bus only. */
  if (m->type < 0x100 || m->type & SYS_REPLY_FLAG) return -EINVAL;
  switch (callee->state) {
  case ENDPOINT_DOWN:
  case ENDPOINT_DEAD:
  case ENDPOINT_STOPPING:
  case ENDPOINT_STOPPED:
    return -SYS_EDEADSRCDST;
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
  case ENDPOINT_FROZEN:
  case ENDPOINT_RECOVERING:
    break;
  }
  if (right == BUS_RIGHT_SENDREC && closes_cycle(e, callee)) return -SYS_ELOCKED;
  return 0;
}

static void set_deadline(struct request *r, uint32_t deadline_ms) {
  r->deadline_us = r->since_us = 0;
  if (!deadline_ms) return;
  r->since_us = bus_now_us();
  r->deadline_us = r->since_us + (uint64_t)deadline_ms * 1000;
  timer_at(r->deadline_us);
}

/* Hands the request to its callee, or to its inbox. @return 0 or -ENOMEM */
static int submit(struct endpoint *e, struct request *r, endpoint_t dst, const msg_t *m,
                  const void *payload) {
  struct endpoint *callee = bus_endpoint(dst);
  r->caller = e->id;
  r->callee = dst;
  r->shared = false;
  r->sequence = ++e->sequence;
  r->m = *m;
  r->m.source = e->id;
  r->m.status = 0;
  r->m.token = request_token(r);
  set_deadline(r, request_is_sendrec(r) ? e->edges[dst].deadline_ms : 0);
  history_add(&e->history, bus_now_us(), HISTORY_SENT, dst, &r->m);
  if (bus.tracing) trace_request(r);
  if (request_can_deliver(callee, r)) {
    request_deliver(callee, r, payload);
    return 0;
  }
  if (!keep_payload(r, payload)) return -ENOMEM;
  r->state = REQUEST_QUEUED;
  order_enqueue(callee, r);
  if (order_waits()) endpoint_pump(callee);
  return 0;
}

void endpoint_sendrec(struct endpoint *e, endpoint_t dst, const msg_t *m, const void *payload) {
  struct request *r = &e->requests[SENDREC_SLOT];
  int error = check(e, dst, m, BUS_RIGHT_SENDREC);
  e->live->state = VERSION_CALLING;
  if (!error) error = submit(e, r, dst, m, payload);
  if (error) {
    const msg_t none = {.source = dst, .type = m->type | SYS_REPLY_FLAG, .status = error};
    version_deliver(e->live, BUS_DELIVER_ANSWER, error, &none, NULL, NULL, 0);
  }
}

/* @param n  of slots that may be used */
static struct request *free_slot(struct endpoint *e, unsigned n) {
  for (unsigned i = SENDREC_SLOT + 1; i < n; i++)
    if (e->requests[i].state == REQUEST_FREE) return &e->requests[i];
  return NULL;
}

void endpoint_call(struct endpoint *e, endpoint_t dst, const msg_t *m, const void *payload,
                   uint64_t cookie) {
  struct request *r = free_slot(e, e->nrequests - 1);
  if (!r) {
    version_kill(e->live, "made more calls than its calls_max allows");
    return;
  }
  int error = check(e, dst, m, BUS_RIGHT_CALL);
  r->cookie = cookie;
  e->calls_in_flight++;
  if (!error) error = submit(e, r, dst, m, payload);
  if (error) {
    r->caller = e->id;
    r->callee = dst;
    r->m = (msg_t){.type = m->type};
    r->state = REQUEST_DELIVERED;
    request_answer(r, error, &(msg_t){0}, NULL);
  }
}

/* ---- answering ---- */

void request_answer(struct request *r, int status, const msg_t *m, const void *payload) {
  struct endpoint *caller = bus_endpoint(r->caller);
  msg_t answer = *m;
  answer.source = r->callee;
  answer.type = r->m.type | SYS_REPLY_FLAG;
  answer.cookie = r->cookie;
  if (status) answer.status = status;
  history_add(&caller->history, bus_now_us(), HISTORY_ANSWERED, r->callee, &answer);
  if (request_is_sendrec(r)) {
    request_free(r);
    version_deliver(caller->live, BUS_DELIVER_ANSWER, status, &answer, payload, NULL, 0);
    return;
  }
  if (r->state == REQUEST_QUEUED) TAILQ_REMOVE(&bus_endpoint(r->callee)->inbox, r, link);
  drop_payload(r);
  r->m = answer;
  if (!keep_payload(r, payload)) {
    r->m.payload = 0;
    r->m.status = -ENOMEM;
  }
  r->state = REQUEST_ANSWERED;
  TAILQ_INSERT_TAIL(&caller->answers, r, link);
  endpoint_pump(caller);
}

static struct request *find(const struct endpoint *replier, uint64_t value) {
  struct token t = token_unpack(value);
  struct endpoint *caller = bus_endpoint(t.caller);
  if (!caller || t.slot >= caller->nrequests) return NULL;
  struct request *r = &caller->requests[t.slot];
  bool pending = r->state == REQUEST_DELIVERED && r->callee == replier->id &&
                 r->sequence == t.sequence && (uint16_t)caller->incarnation == t.incarnation;
  return pending ? r : NULL;
}

int endpoint_reply(struct endpoint *e, uint64_t token, const msg_t *m, const void *payload) {
  struct request *r = find(e, token);
  if (!r) return -ESTALE;
  history_add(&e->history, bus_now_us(), HISTORY_REPLIED, r->caller, m);
  if (bus.tracing) trace_reply(r, m);
  programs_answered(e, bus_endpoint(r->caller), m->status);
  request_answer(r, 0, m, payload);
  return 0;
}

/* ---- the end of a party, and of patience ---- */

static void fail(struct request *r, void *error) {
  request_answer(r, *(int *)error, &(msg_t){0}, NULL);
}

void endpoint_fail_requests(struct endpoint *e, int error) {
  request_each(e, fail, &error);
}

void request_answer_again(struct request *r, endpoint_t caller, const msg_t *answer,
                          const void *payload) {
  r->caller = caller;
  r->callee = answer->source;
  r->cookie = answer->cookie;
  r->m = (msg_t){.type = answer->type & ~SYS_REPLY_FLAG};
  r->state = REQUEST_DELIVERED;
  bus_endpoint(caller)->calls_in_flight++;
  request_answer(r, 0, answer, payload);
}

void request_owe_again(struct request *r, endpoint_t caller, const msg_t *answer,
                       uint32_t sequence) {
  r->caller = caller;
  r->callee = answer->source;
  r->cookie = answer->cookie;
  r->sequence = sequence;
  r->shared = false;
  r->turn = bus_endpoint(r->callee)->turn.number - 1; /* not of the one that it is in */
  r->m = (msg_t){.type = answer->type & ~SYS_REPLY_FLAG};
  r->state = REQUEST_DELIVERED;
  bus_endpoint(caller)->calls_in_flight++;
}

bool request_ask_again(struct request *r, endpoint_t caller, endpoint_t callee,
                       const msg_t *question, const void *payload, uint64_t cookie,
                       uint32_t sequence) {
  r->m = *question;
  if (!keep_payload(r, payload)) return false;
  r->caller = caller;
  r->callee = callee;
  r->cookie = cookie;
  r->sequence = sequence;
  r->shared = false;
  r->state = REQUEST_QUEUED;
  bus_endpoint(caller)->calls_in_flight++;
  order_enqueue(bus_endpoint(callee), r);
  return true;
}

void request_put_last(struct request *r) {
  struct endpoint *callee = bus_endpoint(r->callee);
  TAILQ_REMOVE(&callee->inbox, r, link);
  order_enqueue(callee, r);
}

void request_put_first(struct request *r) {
  struct endpoint *caller = bus_endpoint(r->caller);
  TAILQ_REMOVE(&caller->answers, r, link);
  TAILQ_INSERT_HEAD(&caller->answers, r, link);
}

/* Tells the caller that the answer, which it was handling when it died, is lost. */
static void answer_again(struct endpoint *e, const msg_t *answer) {
  struct request *r = free_slot(e, e->nrequests);
  msg_t lost = {.source = answer->source,
                .type = answer->type,
                .status = -SYS_ERESTARTED,
                .cookie = answer->cookie};
  if (r) request_answer_again(r, e->id, &lost, NULL);
}

static void fail_own(struct endpoint *e) {
  request_free(&e->requests[SENDREC_SLOT]);
  for (unsigned i = SENDREC_SLOT + 1; i < e->nrequests; i++)
    if (request_is_pending(&e->requests[i]))
      request_answer(&e->requests[i], -SYS_ERESTARTED, &(msg_t){0}, NULL);
}

/* What the callee was given in the turn in which it died. */
static void fail_in_hand(struct request *r, void *turn) {
  if (r->state == REQUEST_DELIVERED && r->turn == *(uint32_t *)turn)
    request_answer(r, -SYS_ERESTARTED, &(msg_t){0}, NULL);
}

void request_interrupt(struct endpoint *e, const msg_t *answer) {
  fail_own(e);
  if (answer) answer_again(e, answer);
  request_each(e, fail_in_hand, &e->turn.number);
}

static bool has_deadline(const struct request *r) {
  return request_is_pending(r) && r->deadline_us;
}

/* Whose clocks stand still. */
static bool stands_still(const struct endpoint *e) {
  return e->held_since_us || e->stop.since_us;
}

/* A request that is now late, unless its callee cannot be blamed. */
static bool late(const struct request *r, uint64_t now_us) {
  return has_deadline(r) && r->deadline_us <= now_us && !stands_still(bus_endpoint(r->callee)) &&
         !bus_clock_stopped();
}

uint64_t endpoint_expire(struct endpoint *e, uint64_t now_us) {
  uint64_t next = UINT64_MAX;
  /* Only a sendrec has a deadline. */
  struct request *r = &e->requests[SENDREC_SLOT];
  if (late(r, now_us)) request_answer(r, -ETIMEDOUT, &(msg_t){0}, NULL);
  if (has_deadline(r) && r->deadline_us > now_us && !stands_still(bus_endpoint(r->callee)))
    next = r->deadline_us;
  return next;
}

void endpoint_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us) {
  struct request *r = &e->requests[SENDREC_SLOT];
  if (has_deadline(r)) r->deadline_us = debug_later(r->deadline_us, stopped_us, now_us);
}

void request_delay(struct endpoint *callee, uint64_t held_since_us, uint64_t now_us) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    struct request *r = &bus_endpoint(id)->requests[SENDREC_SLOT];
    if (!has_deadline(r) || r->callee != callee->id) continue;
    uint64_t from = r->since_us > held_since_us ? r->since_us : held_since_us;
    r->deadline_us += now_us - from;
    timer_at(r->deadline_us);
  }
}
