/* Helpers of the stand-alone benchmark programs: pinning and the clock. */
#ifndef PROTEOS_BENCH_PIN_H
#define PROTEOS_BENCH_PIN_H

#include <err.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/** Keeps the calling process, and what it forks, on one CPU. Ends the program when it cannot. */
static inline void pin_to_cpu(const char *cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(cpu), &set);
  if (sched_setaffinity(0, sizeof(set), &set) < 0) err(1, "cannot pin to CPU %s", cpu);
}

/** Monotonic time in nanoseconds. */
static inline uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#endif
