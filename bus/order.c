#include "bus/order.h"

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/schedule.h"

static struct {
  bool on;
  uint64_t waiting; /* endpoints that may have something to be delivered */
  unsigned last;    /* that was delivered to: equals take turns */
} order;

bool order_waits(void) {
  return order.on;
}

bool order_defers(const struct endpoint *e) {
  if (order.on) order.waiting |= 1ull << e->id;
  return order.on;
}

/* Of those that wait. */
static struct endpoint *first(void) {
  struct endpoint *best = NULL;
  for (unsigned i = 1; i <= ENDPOINTS_MAX; i++) {
    unsigned id = (order.last + i) % ENDPOINTS_MAX;
    if (!(order.waiting >> id & 1)) continue;
    struct endpoint *e = bus_endpoint((endpoint_t)id);
    if (e && (!best || schedule_priority(e) > schedule_priority(best))) best = e;
    if (!e) order.waiting &= ~(1ull << id);
  }
  return best;
}

static void end_of_turn(void) {
  struct endpoint *e;
  while (order.waiting && (e = first())) {
    order.waiting &= ~(1ull << e->id);
    order.last = (unsigned)e->id;
    endpoint_deliver(e);
  }
}

void order_begin(void) {
  if (order.on) return;
  order.on = true;
  loop_after_turns(end_of_turn);
}

void order_end(void) {
  if (!order.on) return;
  order.on = false;
  end_of_turn();
  loop_after_turns(NULL);
}

void order_enqueue(struct endpoint *callee, struct request *r) {
  struct request *before = TAILQ_LAST(&callee->inbox, request_queue);
  uint32_t priority = schedule_priority(bus_endpoint(r->caller));
  r->overtaken = 0;
  while (order.on && before && before->overtaken < ORDER_OVERTAKEN_MAX &&
         schedule_priority(bus_endpoint(before->caller)) < priority) {
    before->overtaken++;
    before = TAILQ_PREV(before, request_queue, link);
  }
  if (before)
    TAILQ_INSERT_AFTER(&callee->inbox, before, r, link);
  else
    TAILQ_INSERT_HEAD(&callee->inbox, r, link);
}
