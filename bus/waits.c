#include "bus/waits.h"

#include "bus/bus.h"
#include "bus/request.h"

static struct {
  struct kern_waits head;
  struct kern_wait waits[KERN_WAITS_MAX];
} answer;

static bool is_held(const struct endpoint *e) {
  return e->state == ENDPOINT_FROZEN || e->state == ENDPOINT_CONVERGING;
}

static void add(enum kern_wait_why why, const struct endpoint *who, uint32_t type) {
  if (answer.head.count == KERN_WAITS_MAX) return;
  answer.waits[answer.head.count++] = (struct kern_wait){why, who->id, type, is_held(who)};
}

static void add_answers(const struct endpoint *e) {
  for (unsigned i = 0; i < e->nrequests; i++)
    if (request_is_pending(&e->requests[i]))
      add(KERN_WAIT_ANSWER, bus_endpoint(e->requests[i].callee), e->requests[i].m.type);
}

static void add_withheld(const struct endpoint *e) {
  const struct request *r;
  TAILQ_FOREACH (r, &e->inbox, link)
    add(KERN_WAIT_WITHHELD, bus_endpoint(r->caller), r->m.type);
}

/* Is it dead for good or held, or does it wait in a sendrec for one that is held? Then it can send
 * nothing. */
static bool is_silent(const struct endpoint *e) {
  if (!e->live) return !e->restart_at_us;
  if (is_held(e)) return true;
  const struct request *r = &e->requests[SENDREC_SLOT];
  return e->live->state == VERSION_CALLING && request_is_pending(r) &&
         is_held(bus_endpoint(r->callee));
}

static void add_peers(const struct endpoint *e) {
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *peer = bus_endpoint(id);
    if (peer == e || !endpoint_peers(e, peer)) continue;
    if (!is_silent(peer))
      answer.head.reachable = true;
    else if (peer->edges[e->id].rights && is_held(peer))
      add(KERN_WAIT_CALLER, peer, 0);
  }
}

static bool has_watches(const struct endpoint *e) {
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++)
    if (e->watches.by_bit[bit].state != WATCH_NONE) return true;
  return false;
}

const void *waits_of(const struct endpoint *e, uint32_t *bytes) {
  answer.head = (struct kern_waits){.messages = e->messages,
                                    .idle = e->state == ENDPOINT_CONVERGING && e->live &&
                                            e->live->state == VERSION_RECEIVING,
                                    .reachable = e->alarms.set || has_watches(e)};
  add_answers(e);
  add_withheld(e);
  add_peers(e);
  *bytes = (uint32_t)(sizeof(answer.head) + answer.head.count * sizeof(answer.waits[0]));
  return &answer;
}
