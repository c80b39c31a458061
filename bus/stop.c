#include "bus/stop.h"

#include <signal.h>

#include "bus/bus.h"
#include "bus/link.h"
#include "bus/request.h"

static void go_on(struct endpoint *e) {
  uint64_t since_us = e->stop.since_us;
  e->stop = (struct stop){0};
  if (since_us) request_delay(e, since_us, bus_now_us());
}

void stop_set(struct endpoint *e, enum stop_reason why, bool stop) {
  unsigned before = e->stop.reasons;
  unsigned after = stop ? before | why : before & ~(unsigned)why;
  if (!e->live || e->live->state == VERSION_ENDING) return;
  e->stop.reasons = after;
  if (!before == !after) return;
  link_kill(e->live, after ? SIGSTOP : SIGCONT);
  if (after)
    e->stop.since_us = bus_now_us();
  else
    go_on(e);
}

void stop_forget(struct endpoint *e) {
  go_on(e);
}
