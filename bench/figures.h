/* What a window of client traffic looked like: counts, latencies, the longest gap. */
#ifndef PROTEOS_BENCH_FIGURES_H
#define PROTEOS_BENCH_FIGURES_H

#include <stdint.h>

/* Latencies in microseconds, in buckets that are at most 1/16 wide of their value. */
#define FIGURES_BUCKETS (16 * 40)

struct figures {
  uint64_t requests; /* answered completely and rightly */
  uint64_t failed;   /* connection lost or refused, bad status, no byte for too long */
  uint64_t wrong;    /* failed because a byte of the body was wrong */
  uint64_t bytes;    /* of bodies */
  uint64_t streamed; /* those of them that came on streaming connections */
  uint64_t latency_max_us;
  uint64_t gap_max_us; /* longest time without bytes on a streaming connection */
  uint64_t latency[FIGURES_BUCKETS];
};

/** Counts one answered request that took `us`. */
void figures_latency(struct figures *f, uint64_t us);
/** Notes a time without bytes on a streaming connection. */
void figures_gap(struct figures *f, uint64_t us);
/** Adds a window's figures to a total. */
void figures_add(struct figures *total, const struct figures *window);
/** Prints them to standard output as one line of JSON, and flushes. */
void figures_print(const struct figures *f);

#endif
