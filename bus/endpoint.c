#include "bus/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/alarm.h"
#include "bus/bus.h"
#include "bus/fdpass.h"
#include "bus/lifecycle.h"
#include "bus/order.h"
#include "bus/probation.h"
#include "bus/request.h"
#include "bus/trace.h"
#include "bus/watch.h"

int endpoint_init(struct endpoint *e, endpoint_t id, const struct manifest_component *component) {
  e->id = id;
  e->component = component;
  e->state = ENDPOINT_DOWN;
  e->log_pipe[0] = e->log_pipe[1] = -1;
  e->remains = (struct remains){-1, -1};
  TAILQ_INIT(&e->inbox);
  TAILQ_INIT(&e->answers);
  TAILQ_INIT(&e->mail);
  return endpoint_fit(e);
}

int endpoint_fit(struct endpoint *e) {
  unsigned n = e->component->calls_max + 2;
  if (n == e->nrequests) return 0;
  struct request *requests = calloc(n, sizeof(*requests));
  if (!requests) return -ENOMEM;
  for (unsigned i = 0; i < n; i++)
    requests[i].slot = (uint8_t)i;
  free(e->requests);
  e->requests = requests;
  e->nrequests = n;
  return 0;
}

static void mail_free(struct endpoint *e, struct mail *mail) {
  TAILQ_REMOVE(&e->mail, mail, link);
  fdpass_close(mail->fds, mail->nfds);
  free(mail->fds);
  free(mail->payload);
  free(mail);
}

void endpoint_forget(struct endpoint *e) {
  for (unsigned i = 0; i < e->nrequests; i++)
    request_free(&e->requests[i]);
  while (!TAILQ_EMPTY(&e->mail))
    mail_free(e, TAILQ_FIRST(&e->mail));
  e->notified = e->exited = e->restarted = 0;
  e->answers_first = 0;
  memset(e->bits, 0, sizeof(e->bits));
  alarm_cancel_all(e);
  watch_end_all(e);
}

void endpoint_deinit(struct endpoint *e) {
  if (!e->requests) return;
  endpoint_forget(e);
  free(e->requests);
  if (e->remains.state >= 0) close(e->remains.state);
  if (e->remains.exe >= 0) close(e->remains.exe);
  e->requests = NULL;
  for (unsigned i = 0; i < 2; i++)
    if (e->log_pipe[i] >= 0) close(e->log_pipe[i]);
}

const char *endpoint_state_name(enum endpoint_state s) {
  switch (s) {
  case ENDPOINT_DOWN:
    return "down";
  case ENDPOINT_STARTING:
    return "starting";
  case ENDPOINT_RUNNING:
    return "running";
  case ENDPOINT_CONVERGING:
    return "converging";
  case ENDPOINT_FROZEN:
    return "frozen";
  case ENDPOINT_RECOVERING:
    return "recovering";
  case ENDPOINT_DEAD:
    return "dead";
  case ENDPOINT_STOPPING:
    return "stopping";
  case ENDPOINT_STOPPED:
    return "stopped";
  }
  return "?";
}

bool endpoint_peers(const struct endpoint *a, const struct endpoint *b) {
  return a->edges[b->id].rights || b->edges[a->id].rights;
}

/* ---- turns ---- */

static void turn_begin(struct turn *t) {
  t->number++;
  t->exited = t->restarted = t->notified = 0;
  t->answer.type = 0;
}

static void turn_notified(struct turn *t, endpoint_t source, uint64_t bits) {
  uint64_t mask = 1ull << source;
  if (!(t->notified & mask)) t->bits[source] = 0;
  t->notified |= mask;
  t->bits[source] |= bits;
}

/* Notifications mean "look again", so they may come twice. */
static void tell_again(struct endpoint *e) {
  const struct turn *t = &e->turn;
  e->exited |= t->exited;
  e->restarted |= t->restarted;
  for (uint64_t left = t->notified; left; left &= left - 1) {
    unsigned source = (unsigned)__builtin_ctzll(left);
    e->bits[source] |= t->bits[source];
    e->notified |= 1ull << source;
  }
}

void endpoint_interrupt(struct endpoint *e) {
  request_interrupt(e, e->turn.answer.type ? &e->turn.answer : NULL);
  tell_again(e);
  turn_begin(&e->turn);
  watch_end_all(e);
}

/* ---- what a version in receive is given ---- */

static void deliver_message(struct endpoint *e, const msg_t *m, const void *payload, const int *fds,
                            unsigned nfds) {
  e->messages++;
  history_add(&e->history, bus_now_us(), HISTORY_RECEIVED, m->source, m);
  if (e->probation) probation_delivered(e, m);
  if (bus.tracing) trace_delivery(e, m);
  version_deliver(e->live, BUS_DELIVER_MESSAGE, 0, m, payload, fds, nfds);
}

/* Is a request or notification let through? */
static bool accepts(const struct endpoint *e, const msg_t *m) {
  switch (e->state) {
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
    return true;
  case ENDPOINT_CONVERGING:
    if (e->allow.count) return interface_passes(&e->allow, m);
    return m->type == SYS_NOTIFIED || e->edges[m->source].rights & BUS_RIGHT_CALL;
  case ENDPOINT_FROZEN:
  case ENDPOINT_RECOVERING:
  case ENDPOINT_DOWN:
  case ENDPOINT_DEAD:
  case ENDPOINT_STOPPING:
  case ENDPOINT_STOPPED:
    break;
  }
  return false;
}

bool request_can_deliver(const struct endpoint *callee, const struct request *r) {
  return !order_waits() && callee->live && callee->live->state == VERSION_RECEIVING &&
         accepts(callee, &r->m);
}

void request_deliver(struct endpoint *callee, struct request *r, const void *payload) {
  r->state = REQUEST_DELIVERED;
  r->turn = callee->turn.number;
  callee->message_turn = false;
  deliver_message(callee, &r->m, payload, NULL, 0);
}

static bool deliver_request(struct endpoint *e) {
  struct request *r;
  TAILQ_FOREACH (r, &e->inbox, link) {
    if (!accepts(e, &r->m)) continue;
    TAILQ_REMOVE(&e->inbox, r, link);
    void *payload = r->payload;
    r->payload = NULL;
    request_deliver(e, r, payload);
    free(payload);
    return true;
  }
  return false;
}

static bool deliver_answer(struct endpoint *e) {
  struct request *r = TAILQ_FIRST(&e->answers);
  if (!r) return false;
  const msg_t m = r->m;
  void *payload = r->payload;
  r->payload = NULL;
  request_free(r);
  e->message_turn = false;
  if (e->answers_first) e->answers_first--;
  e->turn.answer = m;
  deliver_message(e, &m, payload, NULL, 0);
  free(payload);
  return true;
}

static bool deliver_notification(struct endpoint *e) {
  msg_t m = {.type = SYS_NOTIFIED};
  uint64_t sources = e->notified;
  for (; sources; sources &= sources - 1) {
    m.source = __builtin_ctzll(sources);
    if (accepts(e, &m)) break;
  }
  if (!sources) return false;
  endpoint_t source = m.source;
  m.bits = e->bits[source];
  e->notified &= ~(1ull << source);
  e->bits[source] = 0;
  e->message_turn = true;
  turn_notified(&e->turn, source, m.bits);
  if (source == SYS_KERNEL) watch_delivered(e, m.bits);
  deliver_message(e, &m, NULL, NULL, 0);
  return true;
}

/* After the answers that a peer's former life still gave, before anything of its next one. */
static bool deliver_system(struct endpoint *e) {
  uint64_t *peers = e->exited ? &e->exited : &e->restarted;
  if (!*peers) return false;
  if (e->answers_first) return deliver_answer(e);
  endpoint_t peer = __builtin_ctzll(*peers);
  const msg_t m = {
      .source = SYS_KERNEL, .type = e->exited ? SYS_EXITED : SYS_RESTARTED, .i32 = {peer}};
  *peers &= ~(1ull << peer);
  *(m.type == SYS_EXITED ? &e->turn.exited : &e->turn.restarted) |= 1ull << peer;
  deliver_message(e, &m, NULL, NULL, 0);
  return true;
}

static bool deliver_mail(struct endpoint *e) {
  struct mail *mail = TAILQ_FIRST(&e->mail);
  if (!mail) return false;
  deliver_message(e, &mail->m, mail->payload, mail->fds, mail->nfds);
  mail_free(e, mail);
  return true;
}

/* Notifications and messages take turns, so that neither can starve the other. */
static bool deliver_in_turn(struct endpoint *e) {
  if (e->message_turn) return deliver_answer(e) || deliver_request(e) || deliver_notification(e);
  return deliver_notification(e) || deliver_answer(e) || deliver_request(e);
}

void endpoint_deliver(struct endpoint *e) {
  struct version *v = e->live;
  if (!v || v->state != VERSION_RECEIVING || version_deliver_control(v)) return;
  switch (e->state) {
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
    if (!deliver_system(e) && !deliver_mail(e)) deliver_in_turn(e);
    break;
  case ENDPOINT_FROZEN:
  case ENDPOINT_RECOVERING:
  case ENDPOINT_DOWN:
  case ENDPOINT_DEAD:
  case ENDPOINT_STOPPING:
  case ENDPOINT_STOPPED:
    break;
  }
}

void endpoint_pump(struct endpoint *e) {
  if (!order_defers(e)) endpoint_deliver(e);
}

void endpoint_ready(struct endpoint *e) {
  if (e->state != ENDPOINT_STARTING) return;
  e->state = ENDPOINT_RUNNING;
  lifecycle_ready(e);
}

void endpoint_receive(struct endpoint *e, bool in_loop) {
  e->live->state = VERSION_RECEIVING;
  if (in_loop) turn_begin(&e->turn);
  if (e->watches.delivered) watch_rearm(e);
  endpoint_ready(e);
  endpoint_pump(e);
}

/* ---- what makes something pending ---- */

static void set_bits(struct endpoint *e, endpoint_t source, uint64_t bits) {
  e->bits[source] |= bits;
  e->notified |= 1ull << source;
  endpoint_pump(e);
}

int endpoint_notify(struct endpoint *e, endpoint_t dst, uint64_t bits) {
  struct endpoint *to = bus_endpoint(dst);
  if (!to || !endpoint_peers(e, to)) return -EPERM;
  if (!bits) return 0;
  if (bus.tracing) trace_notify(e, to, bits);
  switch (to->state) {
  case ENDPOINT_DOWN:
  case ENDPOINT_DEAD:
  case ENDPOINT_STOPPING:
  case ENDPOINT_STOPPED:
    break; /* its next version starts afresh and looks by itself */
  case ENDPOINT_STARTING:
  case ENDPOINT_RUNNING:
  case ENDPOINT_CONVERGING:
  case ENDPOINT_FROZEN:
  case ENDPOINT_RECOVERING:
    set_bits(to, e->id, bits);
    break;
  }
  return 0;
}

void endpoint_tell(struct endpoint *e, endpoint_t peer, bool restarted) {
  const struct request *r;
  *(restarted ? &e->restarted : &e->exited) |= 1ull << peer;
  e->answers_first = 0;
  TAILQ_FOREACH (r, &e->answers, link)
    e->answers_first++;
  endpoint_pump(e);
}

void endpoint_notify_kernel(struct endpoint *e, uint64_t bits) {
  set_bits(e, SYS_KERNEL, bits);
}

void endpoint_mail(struct endpoint *e, const msg_t *m, const void *payload, const int *fds,
                   unsigned nfds) {
  struct mail *mail = calloc(1, sizeof(*mail));
  if (mail) {
    mail->m = *m;
    mail->m.source = SYS_KERNEL;
    mail->payload = malloc(m->payload + 1);
    mail->fds = malloc((nfds + 1) * sizeof(int));
  }
  if (!mail || !mail->payload || !mail->fds) {
    bus_log("out of memory: a message to %s is lost", e->component->name);
    fdpass_close((int *)(uintptr_t)fds, nfds);
    if (mail) free(mail->payload), free(mail->fds);
    free(mail);
    return;
  }
  if (m->payload) memcpy(mail->payload, payload, m->payload);
  if (nfds) memcpy(mail->fds, fds, nfds * sizeof(int));
  mail->nfds = nfds;
  TAILQ_INSERT_TAIL(&e->mail, mail, link);
  endpoint_pump(e);
}
ST_BLOCKS(endpoint_mail, opaque);

/* ---- hold ---- */

void endpoint_hold(struct endpoint *e, enum endpoint_state held) {
  if (!e->held_since_us) e->held_since_us = bus_now_us();
  e->state = held;
}

void endpoint_release(struct endpoint *e) {
  uint64_t since = e->held_since_us;
  e->state = ENDPOINT_RUNNING;
  e->held_since_us = 0;
  e->allow.count = 0;
  if (since) request_delay(e, since, bus_now_us());
  endpoint_pump(e);
}
