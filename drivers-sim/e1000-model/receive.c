/* Receiving: from a frame on the wire to descriptors that the driver finds done (3.2). */
#include <string.h>

#include "parts.h"

enum {
  HEADER_BYTES = 14,
  FRAME_MIN = 60, /* on a cable, frames are padded to this */
  FCS_BYTES = 4,
  FRAME_MAX = 1522,      /* with frame check sequence and VLAN tag */
  LONG_FRAME_MAX = 16384 /* with RCTL.LPE */
};

/* 13.4.22: BSIZE, and BSEX, which multiplies by 16; 0 then is reserved. */
static uint32_t buffer_bytes(uint32_t rctl) {
  uint32_t size = 2048u >> (rctl >> E1000_RCTL_BSIZE_SHIFT & 3);
  bool extended = rctl & E1000_RCTL_BSEX && size != 2048;
  return extended ? size * 16 : size;
}

static uint32_t longest(uint32_t rctl) {
  return rctl & E1000_RCTL_LPE ? LONG_FRAME_MAX : FRAME_MAX;
}

static uint32_t descriptors_for(uint32_t rctl, uint32_t bytes) {
  uint32_t each = buffer_bytes(rctl);
  return (bytes + each - 1) / each;
}

/* Nothing is taken from the wire unless the longest frame would fit: so a frame is lost only when
 * the driver's whole ring is too small for it. */
bool receive_has_room(const struct device *d) {
  struct ring r;
  uint32_t rctl = reg_load(d, E1000_RCTL);
  if (!(rctl & E1000_RCTL_EN) || !d->link) return false;
  if (!ring_open(d, E1000_RDBAL, &r)) return false;
  uint32_t need = descriptors_for(rctl, longest(rctl));
  if (need > r.count - 1) need = r.count - 1;
  return ring_owned(&r) >= need;
}

/* A frame and its frame check sequence, which no wire carries: zeros stand for it. */
struct incoming {
  const uint8_t *data;
  uint32_t bytes, fcs;
};

static void copy_part(void *to, const struct incoming *f, uint32_t from, uint32_t n) {
  uint32_t data = from >= f->bytes ? 0 : f->bytes - from < n ? f->bytes - from : n;
  memcpy(to, f->data + from, data);
  memset((char *)to + data, 0, n - data);
}

static void fill_descriptor(struct device *d, struct e1000_rx_desc *slot, const struct incoming *f,
                            uint32_t from, uint32_t n, uint8_t status) {
  struct e1000_rx_desc done;
  ring_load(slot, &done);
  done.length = n;
  done.errors = 0;
  void *buffer = dma_pointer(d->windows, done.address, n);
  if (buffer) {
    copy_part(buffer, f, from, n);
  } else {
    device_complain(d, "a receive descriptor's address is outside the DMA windows");
    done.length = 0;
    done.errors = E1000_RXE_RXE;
  }
  slot->length = done.length;
  slot->checksum = 0;
  slot->errors = done.errors;
  slot->special = 0;
  __atomic_store_n(&slot->status, status, __ATOMIC_RELEASE); /* the driver may take it from here */
}

static void fill_ring(struct device *d, struct ring *r, const struct incoming *f, uint32_t each,
                      uint8_t inexact) {
  struct e1000_rx_desc *slots = r->desc;
  uint32_t total = f->bytes + f->fcs;
  for (uint32_t from = 0; from < total; from += each) {
    uint32_t n = total - from < each ? total - from : each;
    bool last = from + n == total;
    fill_descriptor(d, &slots[r->head], f, from, n,
                    E1000_RXD_DD | E1000_RXD_IXSM | inexact | (last ? E1000_RXD_EOP : 0));
    r->head = (r->head + 1) % r->count;
    d->rx_taken++;
  }
  ring_show_head(d, E1000_RDBAL, r);
}

void receive_frame(struct device *d, const uint8_t *frame, uint32_t bytes) {
  uint8_t padded[FRAME_MIN] = {0};
  uint32_t rctl = reg_load(d, E1000_RCTL);
  if (bytes < HEADER_BYTES) return;
  if (bytes < FRAME_MIN) {
    frame = memcpy(padded, frame, bytes);
    bytes = FRAME_MIN;
  }
  statistics_count(d, E1000_TPR);
  if (bytes + FCS_BYTES > longest(rctl)) {
    statistics_count(d, E1000_ROC);
    return;
  }
  enum filter_result match = filter_match(d, rctl, frame);
  if (match == FILTER_NO) return;

  struct ring r;
  struct incoming f = {frame, bytes, rctl & E1000_RCTL_SECRC ? 0 : FCS_BYTES};
  if (!ring_open(d, E1000_RDBAL, &r) || ring_owned(&r) < descriptors_for(rctl, f.bytes + f.fcs)) {
    statistics_count(d, E1000_MPC);
    statistics_count(d, E1000_RNBC);
    interrupt_raise(d, E1000_ICR_RXO);
    return;
  }
  fill_ring(d, &r, &f, buffer_bytes(rctl), match == FILTER_INEXACT ? E1000_RXD_PIF : 0);
  statistics_received(d, frame, bytes + FCS_BYTES);
}

/* RDMTS: a half, a quarter or an eighth of the ring is left. */
static bool fell_below_threshold(const struct device *d, const struct ring *r) {
  uint32_t shift = (reg_load(d, E1000_RCTL) >> E1000_RCTL_RDMTS_SHIFT & 3) + 1;
  uint32_t now = ring_owned(r), threshold = r->count >> shift;
  return now <= threshold && now + d->rx_taken > threshold;
}

void receive_done(struct device *d) {
  struct ring r;
  if (d->rx_taken == 0) return;
  if (ring_open(d, E1000_RDBAL, &r) && fell_below_threshold(d, &r))
    interrupt_raise(d, E1000_ICR_RXDMT0);
  d->rx_taken = 0;
  interrupt_received(d);
}
