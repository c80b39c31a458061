/* A descriptor ring, as the driver's registers describe it now (3.2.6, 3.4). */
#include "parts.h"

enum { LOW = 0x00, HIGH = 0x04, LENGTH = 0x08, HEAD = 0x10, TAIL = 0x18, DESC_BYTES = 16 };

bool ring_open(const struct device *d, uint32_t base, struct ring *r) {
  uint32_t bytes = reg_load(d, base + LENGTH);
  dma_addr_t address = (uint64_t)reg_load(d, base + HIGH) << 32 | reg_load(d, base + LOW);
  r->count = bytes / DESC_BYTES;
  r->head = reg_load(d, base + HEAD);
  r->tail = reg_load(d, base + TAIL);
  if (r->count == 0 || bytes % E1000_RING_ALIGN || r->count > E1000_RING_MAX) return false;
  if (address % DESC_BYTES || r->head >= r->count || r->tail >= r->count) return false;
  r->desc = dma_pointer(d->windows, address, bytes);
  return r->desc != NULL;
}

void ring_show_head(struct device *d, uint32_t base, const struct ring *r) {
  reg_store(d, base + HEAD, r->head);
}
