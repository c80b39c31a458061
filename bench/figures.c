#include "figures.h"

#include <inttypes.h>
#include <stdio.h>

static unsigned bucket_of(uint64_t us) {
  if (us < 16) return (unsigned)us;
  unsigned shift = 59 - (unsigned)__builtin_clzll(us); /* leaves us >> shift in 16..31 */
  unsigned b = 16 * shift + (unsigned)(us >> shift);
  return b < FIGURES_BUCKETS ? b : FIGURES_BUCKETS - 1;
}

/* The upper end of a bucket, so that a percentile is never understated. */
static uint64_t bucket_top(unsigned b) {
  if (b < 32) return b;
  unsigned shift = b / 16 - 1;
  return ((uint64_t)(16 + b % 16 + 1) << shift) - 1;
}

static uint64_t percentile(const struct figures *f, unsigned percent) {
  uint64_t seen = 0, wanted = (f->requests * percent + 99) / 100;
  for (unsigned b = 0; b < FIGURES_BUCKETS; b++) {
    seen += f->latency[b];
    if (seen >= wanted && seen > 0)
      return bucket_top(b) < f->latency_max_us ? bucket_top(b) : f->latency_max_us;
  }
  return f->latency_max_us;
}

void figures_latency(struct figures *f, uint64_t us) {
  f->requests++;
  f->latency[bucket_of(us)]++;
  if (us > f->latency_max_us) f->latency_max_us = us;
}

void figures_gap(struct figures *f, uint64_t us) {
  if (us > f->gap_max_us) f->gap_max_us = us;
}

void figures_add(struct figures *total, const struct figures *window) {
  total->requests += window->requests;
  total->failed += window->failed;
  total->wrong += window->wrong;
  total->bytes += window->bytes;
  total->streamed += window->streamed;
  for (unsigned b = 0; b < FIGURES_BUCKETS; b++)
    total->latency[b] += window->latency[b];
  if (window->latency_max_us > total->latency_max_us)
    total->latency_max_us = window->latency_max_us;
  figures_gap(total, window->gap_max_us);
}

void figures_print(const struct figures *f) {
  printf("{\"requests\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"wrong\": %" PRIu64
         ", \"bytes\": %" PRIu64 ", \"streamed\": %" PRIu64 ", \"latency_p50_us\": %" PRIu64
         ", \"latency_p99_us\": %" PRIu64 ", \"latency_max_us\": %" PRIu64
         ", \"gap_max_us\": %" PRIu64 "}\n",
         f->requests, f->failed, f->wrong, f->bytes, f->streamed, percentile(f, 50),
         percentile(f, 99), f->latency_max_us, f->gap_max_us);
  fflush(stdout);
}
