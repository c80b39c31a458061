/* Statistics registers (13.7): cleared by a read, stuck at their maximum. Lengths count the frame
 * check sequence. */
#include <string.h>

#include "parts.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static uint32_t *counter(struct device *d, uint32_t reg) {
  return &d->statistics[(reg - E1000_STATISTICS) / 4];
}

void statistics_reset(struct device *d) {
  memset(d->statistics, 0, sizeof(d->statistics));
}

void statistics_count(struct device *d, uint32_t reg) {
  uint32_t *c = counter(d, reg);
  if (*c != UINT32_MAX) ++*c;
}

/* 64-bit counters: the low half at `reg`, the high one behind it. */
static void count_octets(struct device *d, uint32_t reg, uint32_t bytes) {
  uint32_t *low = counter(d, reg);
  uint64_t sum = (uint64_t)low[1] << 32 | low[0];
  if (__builtin_add_overflow(sum, bytes, &sum)) sum = UINT64_MAX;
  low[0] = (uint32_t)sum;
  low[1] = (uint32_t)(sum >> 32);
}

/* PRC64 ... PRC1522 and PTC64 ... PTC1522: six registers in a row. */
static uint32_t size_class(uint32_t bytes) {
  static const uint32_t most[] = {64, 127, 255, 511, 1023};
  uint32_t i = 0;
  while (i < 5 && bytes > most[i])
    i++;
  return 4 * i;
}

void statistics_received(struct device *d, const uint8_t *frame, uint32_t bytes) {
  statistics_count(d, E1000_GPRC);
  statistics_count(d, E1000_PRC64 + size_class(bytes));
  count_octets(d, E1000_GORCL, bytes);
  if (memcmp(frame, broadcast, 6) == 0)
    statistics_count(d, E1000_BPRC);
  else if (frame[0] & 1)
    statistics_count(d, E1000_MPRC);
}

void statistics_transmitted(struct device *d, const uint8_t *destination, uint32_t bytes) {
  statistics_count(d, E1000_GPTC);
  statistics_count(d, E1000_TPT);
  statistics_count(d, E1000_PTC64 + size_class(bytes));
  count_octets(d, E1000_GOTCL, bytes);
  count_octets(d, E1000_TOTL, bytes);
  if (memcmp(destination, broadcast, 6) == 0)
    statistics_count(d, E1000_BPTC);
  else if (destination[0] & 1)
    statistics_count(d, E1000_MPTC);
}

static bool is_low_half(uint32_t reg) {
  return reg == E1000_GORCL || reg == E1000_GOTCL || reg == E1000_TORL || reg == E1000_TOTL;
}

uint32_t statistics_read(struct device *d, uint32_t reg) {
  uint32_t *c = counter(d, reg), value = *c;
  if (is_low_half(reg)) return value;
  *c = 0;
  if (is_low_half(reg - 4)) c[-1] = 0;
  return value;
}
