/* Fair share by virtual run time: CPU time divided by a weight. Whoever has had the least is next,
 * so that all get their share, and nobody starves. A task that waited does not save up for it: it
 * begins a slice behind the one that has had the least. */
#include "../policy.h"

#include "../task.h"

enum { SLICE_US = 10000 };

static const uint32_t weight[SCHED_NICE_MAX + 1] = {8, 4, 2, 1};

const uint32_t policy_number = 2;

static struct fair {
  uint64_t least_us; /* in virtual time nobody who computes is before it */
  uint64_t least_found;
} fair;

static uint64_t virtual_time(const struct task *t, uint64_t us) {
  return us * weight[0] / weight[t->class == SCHED_CLASS_BATCH ? SCHED_NICE_MAX : t->nice];
}

void policy_begin(struct task *t) {
  t->policy.fair = (struct fair_task){.virtual_us = fair.least_us};
}

/* Also when an update has brought it: what it had under another policy is not known. */
static void catch_up(struct fair_task *p) {
  uint64_t credit = fair.least_us > SLICE_US ? fair.least_us - SLICE_US : 0;
  if (p->virtual_us < credit) p->virtual_us = credit;
}

bool policy_charge(struct task *t, uint64_t used_us, uint64_t waits) {
  struct fair_task *p = &t->policy.fair;
  catch_up(p);
  p->virtual_us += virtual_time(t, used_us);
  p->streak_us = waits ? used_us / (waits + 1) : p->streak_us + used_us;
  p->given_us += used_us;
  if (p->given_us < SLICE_US) return false;
  p->given_us = 0;
  return true;
}

static void note_least(struct task *t) {
  if (t->busy && t->policy.fair.virtual_us < fair.least_found)
    fair.least_found = t->policy.fair.virtual_us;
}

void policy_tick(uint64_t now_us) {
  (void)now_us;
  fair.least_found = UINT64_MAX;
  task_each(note_least);
  if (fair.least_found != UINT64_MAX && fair.least_found > fair.least_us)
    fair.least_us = fair.least_found;
}

bool policy_is_long(const struct task *t) {
  return t->class == SCHED_CLASS_BATCH || t->policy.fair.streak_us >= SLICE_US;
}

bool policy_before(const struct task *a, const struct task *b) {
  if (a->policy.fair.virtual_us != b->policy.fair.virtual_us)
    return a->policy.fair.virtual_us < b->policy.fair.virtual_us;
  return a->endpoint < b->endpoint;
}

uint32_t policy_rank(const struct task *t) {
  uint64_t ahead_us =
      t->policy.fair.virtual_us > fair.least_us ? t->policy.fair.virtual_us - fair.least_us : 0;
  return (uint32_t)(ahead_us / 1000);
}

uint32_t policy_priority(const struct task *t) {
  return policy_is_long(t) ? BUS_PRIORITY_DEFAULT - 1 : BUS_PRIORITY_DEFAULT;
}
