/* Timers as libslirp asks for them: few, in milliseconds of its own clock. */
#ifndef PROTEOS_WIRE_TIMERS_H
#define PROTEOS_WIRE_TIMERS_H

#include <stdint.h>

typedef void timer_cb(void *arg);

int64_t timers_now_ns(void);
/** @return a timer, or NULL when there are too many */
void *timers_new(timer_cb *cb, void *arg);
void timers_free(void *timer);
/** @param at_ms  timers_now_ns() / 1,000,000 at which it fires, once */
void timers_set(void *timer, int64_t at_ms);
/** Milliseconds until the next fires, at most `most`. */
uint32_t timers_wait_ms(uint32_t most);
void timers_run(void);

#endif
