#include "bus/stop.h"

#include <signal.h>

#include "bus/bus.h"
#include "bus/link.h"
#include "bus/request.h"

static unsigned excusing(unsigned reasons) {
  return reasons & ~(unsigned)STOP_ORDERED;
}

static void excuse(struct endpoint *e, bool begins) {
  uint64_t since_us = e->stop.since_us;
  e->stop.since_us = begins ? bus_now_us() : 0;
  if (since_us) request_delay(e, since_us, bus_now_us());
}

void stop_set(struct endpoint *e, enum stop_reason why, bool stop) {
  unsigned before = e->stop.reasons;
  unsigned after = stop ? before | why : before & ~(unsigned)why;
  if (!e->live || e->live->state == VERSION_ENDING) return;
  e->stop.reasons = after;
  if (!before != !after) link_kill(e->live, after ? SIGSTOP : SIGCONT);
  if (!excusing(before) != !excusing(after)) excuse(e, excusing(after));
}

void stop_order(struct endpoint *e, bool stop) {
  if (!stop && e->live && !e->stop.reasons) link_kill(e->live, SIGCONT);
  stop_set(e, STOP_ORDERED, stop);
}

bool stop_excuses(const struct endpoint *e) {
  return excusing(e->stop.reasons);
}

void stop_forget(struct endpoint *e) {
  e->stop.reasons = 0;
  excuse(e, false);
}
