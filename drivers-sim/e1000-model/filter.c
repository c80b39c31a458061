/* Which received frames are for this card: 13.4.22 (RCTL), 13.5 (addresses, multicast table). */
#include <string.h>

#include "parts.h"

static bool is_own_address(const struct device *d, const uint8_t *to) {
  uint32_t low = to[0] | to[1] << 8 | to[2] << 16 | (uint32_t)to[3] << 24;
  uint32_t high = to[4] | to[5] << 8;
  for (uint32_t i = 0; i < E1000_RECEIVE_ADDRESSES; i++) {
    uint32_t rah = reg_load(d, E1000_RAH + 8 * i);
    if (rah & E1000_RAH_AV && (rah & 0xFFFF) == high && reg_load(d, E1000_RAL + 8 * i) == low)
      return true;
  }
  return false;
}

/* 13.5.1: twelve bits of the address, which ones is in RCTL.MO, choose a bit of the table. */
static bool is_in_table(const struct device *d, uint32_t rctl, const uint8_t *to) {
  static const uint8_t shift[] = {4, 3, 2, 0};
  uint32_t hash = (to[4] | to[5] << 8) >> shift[rctl >> E1000_RCTL_MO_SHIFT & 3] & 0xFFF;
  return reg_load(d, E1000_MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

enum filter_result filter_match(const struct device *d, uint32_t rctl, const uint8_t *frame) {
  static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  if (is_own_address(d, frame)) return FILTER_EXACT;
  if (memcmp(frame, broadcast, 6) == 0)
    return rctl & (E1000_RCTL_BAM | E1000_RCTL_MPE) ? FILTER_EXACT : FILTER_NO;
  if (frame[0] & 1) {
    if (rctl & E1000_RCTL_MPE) return FILTER_EXACT;
    return is_in_table(d, rctl, frame) ? FILTER_INEXACT : FILTER_NO;
  }
  return rctl & E1000_RCTL_UPE ? FILTER_EXACT : FILTER_NO;
}
