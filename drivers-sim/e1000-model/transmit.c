/* Transmitting: from descriptors to frames on the wire, straight from the driver's buffers (3.3,
 * 3.4). A frame's descriptors are given back once the wire took the frame; when the wire takes no
 * more, the ring waits. */
#include <string.h>

#include "host.h"
#include "parts.h"

enum { FRAME_MIN = 60, FCS_BYTES = 4, FRAME_PARTS = 64, TURNS_MAX = 64 };

/* A packet as found in the ring. */
struct packet {
  uint32_t end; /* ring index behind its last descriptor */
  bool bad;     /* not to be sent */
  struct wire_frame frame;
};

struct batch {
  struct packet packets[WIRE_BATCH_FRAMES];
  struct wire_frame frames[WIRE_BATCH_FRAMES]; /* those to be sent */
  struct iovec parts[WIRE_BATCH_PARTS];
  uint32_t npackets, nframes, nparts;
};

static const char *add_part(struct device *d, struct batch *b, struct packet *p,
                            const struct e1000_tx_desc *desc, uint32_t cut) {
  if (desc->command & E1000_TXD_DEXT) return "a transmit descriptor is not a legacy one";
  if (desc->command & E1000_TXD_IC) return "a transmit descriptor asks for a checksum";
  uint32_t bytes = desc->length > cut ? desc->length - cut : 0;
  void *data = dma_pointer(d->windows, desc->address, bytes);
  if (!data && bytes) return "a transmit descriptor's address is outside the DMA windows";
  if (p->frame.bytes + bytes > WIRE_SEND_MAX) return "a packet is too long";
  if (p->frame.nparts == FRAME_PARTS - 1) return "a packet has too many descriptors";
  if (!bytes) return NULL;
  b->parts[b->nparts++] = (struct iovec){data, bytes};
  p->frame.nparts++;
  p->frame.bytes += bytes;
  return NULL;
}

static void pad(struct batch *b, struct packet *p) {
  static const uint8_t zeros[FRAME_MIN];
  b->parts[b->nparts++] = (struct iovec){(void *)zeros, FRAME_MIN - p->frame.bytes};
  p->frame.nparts++;
  p->frame.bytes = FRAME_MIN;
}

/* Finds the packet that begins at ring index `at`. @return false when its end is not there yet. */
static bool find_packet(struct device *d, const struct ring *r, uint32_t at, bool pad_short,
                        struct batch *b) {
  const struct e1000_tx_desc *slots = r->desc;
  struct packet *p = &b->packets[b->npackets];
  uint32_t first_part = b->nparts;
  *p = (struct packet){.frame.parts = &b->parts[first_part]};
  while (at != r->tail) {
    struct e1000_tx_desc desc;
    ring_load(&slots[at], &desc);
    bool end = desc.command & E1000_TXD_EOP;
    /* Without IFCS the packet ends with a check sequence of the driver's making: no wire has it. */
    uint32_t cut = end && !(desc.command & E1000_TXD_IFCS) ? FCS_BYTES : 0;
    const char *wrong = p->bad ? NULL : add_part(d, b, p, &desc, cut);
    if (wrong) {
      device_complain(d, wrong);
      p->bad = true;
    }
    at = (at + 1) % r->count;
    if (!end) continue;
    p->end = at;
    if (p->frame.bytes == 0) p->bad = true;
    if (p->bad)
      b->nparts = first_part;
    else if (pad_short && p->frame.bytes < FRAME_MIN)
      pad(b, p);
    return true;
  }
  return false;
}

static void find_batch(struct device *d, const struct ring *r, struct batch *b) {
  bool pad_short = reg_load(d, E1000_TCTL) & E1000_TCTL_PSP;
  uint32_t at = r->head;
  b->npackets = b->nframes = b->nparts = 0;
  while (b->npackets < WIRE_BATCH_FRAMES && b->nparts + FRAME_PARTS <= WIRE_BATCH_PARTS &&
         find_packet(d, r, at, pad_short, b)) {
    struct packet *p = &b->packets[b->npackets++];
    if (!p->bad) b->frames[b->nframes++] = p->frame;
    at = p->end;
  }
}

struct written {
  bool any;     /* a descriptor asked for a report */
  bool delayed; /* all of those allow a delay */
};

static void count(struct device *d, const struct wire_frame *f) {
  uint8_t to[6] = {0};
  size_t have = 0;
  for (uint32_t i = 0; i < f->nparts && have < sizeof(to); i++) {
    size_t n = f->parts[i].iov_len, room = sizeof(to) - have;
    memcpy(to + have, f->parts[i].iov_base, n < room ? n : room);
    have += n < room ? n : room;
  }
  statistics_transmitted(d, to, f->bytes + FCS_BYTES);
}

static void write_back(struct device *d, struct ring *r, const struct packet *p,
                       struct written *w) {
  struct e1000_tx_desc *slots = r->desc;
  if (!p->bad) count(d, &p->frame);
  for (; r->head != p->end; r->head = (r->head + 1) % r->count) {
    struct e1000_tx_desc *slot = &slots[r->head];
    uint8_t command = slot->command;
    if (!(command & (E1000_TXD_RS | E1000_TXD_RPS))) continue;
    __atomic_store_n(&slot->status, slot->status | E1000_TXD_DD, __ATOMIC_RELEASE);
    w->any = true;
    w->delayed &= (command & E1000_TXD_IDE) != 0;
  }
}

/* Sends what is ready. @return false when there is nothing to do, or the wire takes no more. */
static bool transmit_batch(struct device *d, struct batch *b, struct written *w) {
  struct ring r;
  if (!(reg_load(d, E1000_TCTL) & E1000_TCTL_EN)) return false;
  if (!ring_open(d, E1000_TDBAL, &r)) return false;
  find_batch(d, &r, b);
  if (b->npackets == 0) return false;

  /* Without a link there is no cable for them to wait for: they are lost. */
  uint32_t sent = d->link ? wire_send(&d->wire, b->frames, b->nframes) : b->nframes;
  for (uint32_t i = 0; i < b->npackets; i++) {
    if (!b->packets[i].bad && sent-- == 0) break;
    write_back(d, &r, &b->packets[i], w);
  }
  ring_show_head(d, E1000_TDBAL, &r);
  /* The driver rings no bell while the ring is not empty: look again after showing the head. */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return !d->wire.blocked;
}

void transmit(struct device *d) {
  struct batch b;
  struct written w = {false, true};
  unsigned turns = 0;
  if (d->wire.blocked) wire_send(&d->wire, NULL, 0);
  while (transmit_batch(d, &b, &w)) {
    if (++turns < TURNS_MAX) continue;
    timer_want(d, host_now_us()); /* a driver that never stops must not keep us from all else */
    break;
  }
  if (w.any) interrupt_transmitted(d, w.delayed);
  if (w.any && reg_load(d, E1000_TDT) == reg_load(d, E1000_TDH)) interrupt_raise(d, E1000_ICR_TXQE);
}
