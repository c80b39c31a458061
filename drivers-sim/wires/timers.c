#include "timers.h"

#include <stddef.h>
#include <time.h>

enum { TIMERS_MAX = 16 };

static struct timer {
  timer_cb *cb; /* NULL: unused */
  void *arg;
  int64_t at_ms; /* 0: not set */
} timers[TIMERS_MAX];

int64_t timers_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void *timers_new(timer_cb *cb, void *arg) {
  for (int i = 0; i < TIMERS_MAX; i++) {
    if (timers[i].cb) continue;
    timers[i] = (struct timer){cb, arg, 0};
    return &timers[i];
  }
  return NULL;
}

void timers_free(void *timer) {
  if (timer) ((struct timer *)timer)->cb = NULL;
}

void timers_set(void *timer, int64_t at_ms) {
  if (timer) ((struct timer *)timer)->at_ms = at_ms;
}

uint32_t timers_wait_ms(uint32_t most) {
  int64_t now_ms = timers_now_ns() / 1000000;
  for (int i = 0; i < TIMERS_MAX; i++) {
    if (!timers[i].cb || !timers[i].at_ms) continue;
    int64_t left = timers[i].at_ms - now_ms;
    if (left < most) most = left < 0 ? 0 : left;
  }
  return most;
}

void timers_run(void) {
  int64_t now_ms = timers_now_ns() / 1000000;
  for (int i = 0; i < TIMERS_MAX; i++) {
    struct timer *t = &timers[i];
    if (!t->cb || !t->at_ms || t->at_ms > now_ms) continue;
    t->at_ms = 0;
    t->cb(t->arg);
  }
}
