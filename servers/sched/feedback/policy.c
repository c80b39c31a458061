/* Multi-level feedback queues. Each level has a quantum of CPU time. Who uses up its quantum drops
 * a level, and goes behind all others there; who waits for something long before rises, as
 * far as the level that its settings give it. At intervals all get one quantum at the highest
 * level, so that nobody starves below others. */
#include "../policy.h"

#include "../task.h"

enum { LEVELS = 4, BOOST_US = 1000000, EARLY = 4 /* a part of the quantum */ };

static const uint64_t quantum_us[LEVELS] = {10000, 20000, 40000, 80000};
static struct feedback { uint64_t last_turn, boost_at_us; } feedback;

const uint32_t policy_number = 1;

static uint32_t first_level(const struct task *t) {
  return t->class == SCHED_CLASS_BATCH ? LEVELS - 1 : t->nice;
}

void policy_begin(struct task *t) {
  t->policy.feedback =
      (struct feedback_task){.level = first_level(t), .turn = ++feedback.last_turn};
}

/* Of a task that waited in between only the average stretch between two waits is known. */
bool policy_charge(struct task *t, uint64_t used_us, uint64_t waits) {
  struct feedback_task *p = &t->policy.feedback;
  uint64_t stretch_us = used_us / (waits + 1);
  p->used_us += stretch_us;
  if (p->used_us >= quantum_us[p->level]) {
    p->used_us = 0;
    p->turn = ++feedback.last_turn;
    if (p->level < LEVELS - 1) p->level++;
    if (p->level < first_level(t)) p->level = first_level(t);
    return true;
  }
  if (!waits) return false;
  if (p->used_us < quantum_us[p->level] / EARLY && p->level > first_level(t)) p->level--;
  p->used_us = stretch_us;
  return false;
}

static void boost(struct task *t) {
  if (t->policy.feedback.level == 0) return;
  t->policy.feedback.level = 0;
  t->policy.feedback.used_us = 0;
}

void policy_tick(uint64_t now_us) {
  if (now_us < feedback.boost_at_us) return;
  feedback.boost_at_us = now_us + BOOST_US;
  task_each(boost);
}

bool policy_is_long(const struct task *t) {
  return t->policy.feedback.level > 0;
}

bool policy_before(const struct task *a, const struct task *b) {
  if (a->policy.feedback.level != b->policy.feedback.level)
    return a->policy.feedback.level < b->policy.feedback.level;
  return a->policy.feedback.turn < b->policy.feedback.turn;
}

uint32_t policy_rank(const struct task *t) {
  return t->policy.feedback.level;
}

uint32_t policy_priority(const struct task *t) {
  return BUS_PRIORITY_DEFAULT - t->policy.feedback.level;
}
