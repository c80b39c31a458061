#include "bus/watch.h"

#include <errno.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "libsys/sys.h"

static void fired(int fd, void *endpoint) {
  struct endpoint *e = endpoint;
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++) {
    struct watch *w = &e->watches.by_bit[bit];
    if (w->state != WATCH_ARMED || w->fd != fd) continue;
    w->state = WATCH_FIRED;
    endpoint_notify_kernel(e, 1ull << bit);
    return;
  }
}

static int watch_arm(struct endpoint *e, struct watch *w) {
  unsigned events =
      (w->events & SYS_WATCH_READ ? LOOP_READ : 0) | (w->events & SYS_WATCH_WRITE ? LOOP_WRITE : 0);
  w->state = WATCH_ARMED;
  return loop_add(w->fd, events, true, fired, e);
}

static void watch_drop(struct endpoint *e, unsigned bit) {
  struct watch *w = &e->watches.by_bit[bit];
  loop_forget(w->fd);
  close(w->fd);
  w->state = WATCH_NONE;
  e->watches.delivered &= ~(1ull << bit);
}

int watch_start(struct endpoint *e, int number, int fd, uint32_t events, uint32_t bit) {
  struct watch *w = &e->watches.by_bit[bit % KERNEL_BITS];
  int error = 0;
  if (bit >= KERNEL_BITS || events & ~(uint32_t)(SYS_WATCH_READ | SYS_WATCH_WRITE))
    error = -EINVAL;
  else if (w->state != WATCH_NONE && w->number != number)
    error = -EBUSY;
  if (error) {
    close(fd);
    return error;
  }
  watch_end(e, number);
  w->number = number;
  w->fd = fd;
  w->events = events;
  error = watch_arm(e, w);
  if (error) watch_drop(e, bit);
  return error;
}

int watch_end(struct endpoint *e, int number) {
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++) {
    struct watch *w = &e->watches.by_bit[bit];
    if (w->state == WATCH_NONE || w->number != number) continue;
    watch_drop(e, bit);
    return 0;
  }
  return -ENOENT;
}

void watch_end_all(struct endpoint *e) {
  for (unsigned bit = 0; bit < KERNEL_BITS; bit++)
    if (e->watches.by_bit[bit].state != WATCH_NONE) watch_drop(e, bit);
}

void watch_delivered(struct endpoint *e, uint64_t bits) {
  for (; bits; bits &= bits - 1) {
    unsigned bit = (unsigned)__builtin_ctzll(bits);
    struct watch *w = &e->watches.by_bit[bit];
    if (w->state != WATCH_FIRED) continue;
    w->state = WATCH_DELIVERED;
    e->watches.delivered |= 1ull << bit;
  }
}

void watch_rearm(struct endpoint *e) {
  for (uint64_t bits = e->watches.delivered; bits; bits &= bits - 1) {
    struct watch *w = &e->watches.by_bit[__builtin_ctzll(bits)];
    if (watch_arm(e, w) < 0)
      bus_log("%s: its descriptor %d cannot be watched any more", e->component->name, w->number);
  }
  e->watches.delivered = 0;
}
