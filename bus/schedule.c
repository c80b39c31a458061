#include "bus/schedule.h"

#include <errno.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/debug.h"
#include "bus/link.h"
#include "bus/order.h"
#include "bus/process_time.h"
#include "bus/request.h"
#include "bus/timer.h"
#include "libst/fault.h"

uint32_t schedule_priority(const struct endpoint *e) {
  return BUS_PRIORITY_DEFAULT + e->schedule.raised - e->schedule.lowered;
}

uint64_t schedule_cpus(const struct endpoint *e) {
  return e->schedule.cpus ? e->schedule.cpus
                          : manifest_component_cpus(bus.manifest, e->component, bus.cpus);
}

bool schedule_gives_way(const struct endpoint *e) {
  return e->schedule.lowered != 0;
}

/* ---- list ---- */

static void note_wanted(struct request *r, void *arg) {
  if (request_is_sendrec(r)) *(bool *)arg = true;
}

static bool can_be_stopped(const struct endpoint *e) {
  return e->state == ENDPOINT_RUNNING && !e->next && bus.state == BUS_RUNNING && !debug_holds(e);
}

/* It computes, or would if it were its turn. */
static bool is_busy(const struct endpoint *e) {
  return e->live->state == VERSION_BUSY && !(e->stop.reasons & ~(unsigned)STOP_PREEMPTED);
}

static uint32_t flags(const struct endpoint *e) {
  bool wanted = false;
  request_each(e, note_wanted, &wanted);
  return (e->component->kernel ? BUS_TASK_SYSTEM : 0) |
         (e->state == ENDPOINT_RUNNING && !e->next ? BUS_TASK_RUNNING : 0) |
         (is_busy(e) ? BUS_TASK_BUSY : 0) | (wanted ? BUS_TASK_WANTED : 0) |
         (e->stop.reasons & STOP_PREEMPTED ? BUS_TASK_PREEMPTED : 0);
}

const void *schedule_list(uint32_t *bytes) {
  static struct kern_task list[ENDPOINTS_MAX]; /* until the answer is sent */
  unsigned n = 0;
  st_pass("schedule.list");
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++) {
    const struct endpoint *e = bus_endpoint(id);
    if (!e->live || !e->live->pid) continue;
    struct kern_task *t = &list[n++];
    *t = (struct kern_task){.endpoint = id,
                            .incarnation = e->incarnation,
                            .cpu_us = process_time_us(e->live->pid),
                            .cpus = schedule_cpus(e),
                            .messages = e->messages,
                            .pid = e->live->pid,
                            .priority = schedule_priority(e),
                            .flags = flags(e)};
    strncpy(t->name, e->component->name, sizeof(t->name) - 1);
  }
  *bytes = n * (uint32_t)sizeof(list[0]);
  return list;
}

/* ---- what the scheduler sets ---- */

/* @return NULL when that life is over */
static struct endpoint *find(endpoint_t id, uint32_t incarnation) {
  struct endpoint *e = bus_endpoint(id);
  return e && e->live && e->incarnation == incarnation ? e : NULL;
}

static void place(const struct endpoint *e) {
  link_place(e->live, schedule_cpus(e), schedule_gives_way(e));
}

static void set_priority(struct endpoint *e, uint32_t priority) {
  e->schedule.raised = priority > BUS_PRIORITY_DEFAULT ? priority - BUS_PRIORITY_DEFAULT : 0;
  e->schedule.lowered = priority < BUS_PRIORITY_DEFAULT ? BUS_PRIORITY_DEFAULT - priority : 0;
}

int schedule_set_priority(endpoint_t id, uint32_t incarnation, uint32_t priority) {
  struct endpoint *e = find(id, incarnation);
  if (!e) return -ESRCH;
  if (priority > BUS_PRIORITY_MAX) return -EINVAL;
  int error = st_fault("schedule.priority", EBUSY);
  if (error) return error;
  bool gave_way = schedule_gives_way(e);
  set_priority(e, priority);
  if (gave_way != schedule_gives_way(e)) place(e);
  order_begin();
  return 0;
}

int schedule_preempt(endpoint_t id, uint32_t incarnation, uint32_t ms) {
  struct endpoint *e = find(id, incarnation);
  if (!e) return -ESRCH;
  if (ms > BUS_PREEMPT_MS_MAX) return -EINVAL;
  if (!ms) {
    schedule_yield(e);
    return 0;
  }
  if (e->component->kernel) return -EPERM;
  int error = st_fault("schedule.preempt", EBUSY);
  if (error) return error;
  if (!can_be_stopped(e)) return -EBUSY;
  e->schedule.until_us = bus_now_us() + ms * 1000ull;
  timer_at(e->schedule.until_us);
  stop_set(e, STOP_PREEMPTED, true);
  return 0;
}

int schedule_place(endpoint_t id, uint32_t incarnation, uint64_t cpus) {
  struct endpoint *e = find(id, incarnation);
  if (!e) return -ESRCH;
  if (cpus & ~bus.cpus) return -EINVAL;
  int error = st_fault("schedule.place", EBUSY);
  if (error) return error;
  e->schedule.cpus = cpus;
  place(e);
  return 0;
}

/* ---- what happens ---- */

void schedule_yield(struct endpoint *e) {
  e->schedule.until_us = 0;
  stop_set(e, STOP_PREEMPTED, false);
}

void schedule_forget(struct endpoint *e) {
  e->schedule = (struct schedule){0};
  stop_forget(e);
}

static void let_go(struct endpoint *e) {
  const struct schedule was = e->schedule;
  schedule_yield(e);
  e->schedule = (struct schedule){0};
  if (e->live && (was.cpus || was.lowered)) place(e);
}

void schedule_exited(const struct endpoint *e) {
  if (!(e->component->kernel & MANIFEST_KERNEL_SCHEDULE)) return;
  for (endpoint_t id = 1; id <= (endpoint_t)bus.nendpoints; id++)
    let_go(bus_endpoint(id));
  order_end();
}

uint64_t schedule_expire(struct endpoint *e, uint64_t now_us) {
  uint64_t until_us = e->schedule.until_us;
  if (!until_us) return UINT64_MAX;
  if (until_us > now_us) return until_us;
  schedule_yield(e);
  return UINT64_MAX;
}
