/* Interrupts: causes, mask, moderation (13.4.17 to 13.4.21, 13.4.18, 13.4.30, 13.4.31, 13.4.44).
 *
 * The line stays raised until the driver reads the cause; whatever happens meanwhile is seen by
 * that read and raises nothing. */
#include "host.h"
#include "parts.h"

static void show(struct device *d) {
  reg_store(d, E1000_ICR, d->irq.cause);
  reg_store(d, E1000_IMS, d->irq.mask);
}

void interrupt_reset(struct device *d) {
  uint64_t timer_us = d->irq.timer_us;
  d->irq = (struct interrupts){.timer_us = timer_us};
  show(d);
}

/* A timer that fires too early is cheaper than one moved at every event: it is only ever moved
 * forward in time, and looks again when it fires. */
void timer_want(struct device *d, uint64_t at_us) {
  if (d->irq.timer_us && d->irq.timer_us <= at_us) return;
  d->irq.timer_us = at_us;
  host_timer(at_us);
}

static uint64_t interval_us(const struct device *d) {
  return ((reg_load(d, E1000_ITR) & 0xFFFF) * 256 + 999) / 1000;
}

static void update_line(struct device *d) {
  struct interrupts *irq = &d->irq;
  show(d);
  if (!(irq->cause & irq->mask)) {
    irq->asserted = false;
    return;
  }
  if (irq->asserted) return;
  uint64_t interval = interval_us(d);
  if (interval > 0) {
    uint64_t now = host_now_us();
    if (now < irq->next_us) {
      timer_want(d, irq->next_us);
      return;
    }
    irq->next_us = now + interval;
  }
  irq->asserted = true;
  host_interrupt();
}

void interrupt_raise(struct device *d, uint32_t causes) {
  d->irq.cause |= causes;
  update_line(d);
}

uint32_t interrupt_read_cause(struct device *d) {
  uint32_t cause = d->irq.cause;
  d->irq.cause = 0;
  update_line(d);
  return cause;
}

void interrupt_clear_cause(struct device *d, uint32_t causes) {
  d->irq.cause &= ~causes;
  update_line(d);
}

void interrupt_mask(struct device *d, uint32_t set, uint32_t clear) {
  d->irq.mask = (d->irq.mask | set) & ~clear;
  update_line(d);
}

/* Delay registers count 1.024 us. */
static uint64_t delay_us(const struct device *d, uint32_t reg) {
  return (reg_load(d, reg) & 0xFFFF) * 1024 / 1000;
}

/* Restarts a delay at an event. @return false when the cause is due at once. */
static bool delay_event(struct device *d, struct delay *delay, uint64_t each, uint64_t most) {
  if (each == 0) {
    *delay = (struct delay){0};
    return false;
  }
  uint64_t now = host_now_us();
  if (!delay->at_us) delay->latest_us = most ? now + most : 0;
  delay->at_us = now + each;
  if (delay->latest_us && delay->latest_us < delay->at_us) delay->at_us = delay->latest_us;
  timer_want(d, delay->at_us);
  return true;
}

void interrupt_received(struct device *d) {
  if (!delay_event(d, &d->irq.rx, delay_us(d, E1000_RDTR), delay_us(d, E1000_RADV)))
    interrupt_raise(d, E1000_ICR_RXT0);
}

void interrupt_transmitted(struct device *d, bool delayed) {
  uint64_t each = delayed ? delay_us(d, E1000_TIDV) : 0;
  if (!delay_event(d, &d->irq.tx, each, delay_us(d, E1000_TADV)))
    interrupt_raise(d, E1000_ICR_TXDW);
}

static bool delay_expired(struct device *d, struct delay *delay, uint64_t now) {
  if (!delay->at_us) return false;
  if (now < delay->at_us) {
    timer_want(d, delay->at_us);
    return false;
  }
  *delay = (struct delay){0};
  return true;
}

void interrupt_timer(struct device *d) {
  uint64_t now = host_now_us();
  d->irq.timer_us = 0;
  if (delay_expired(d, &d->irq.rx, now)) d->irq.cause |= E1000_ICR_RXT0;
  if (delay_expired(d, &d->irq.tx, now)) d->irq.cause |= E1000_ICR_TXDW;
  update_line(d);
}
