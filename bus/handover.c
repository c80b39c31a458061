#include "bus/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void handover_init(struct handover *h) {
  *h = (struct handover){.channel = -1};
  STAILQ_INIT(&h->held);
}

void handover_begin(struct handover *h, uint32_t id, int channel) {
  handover_end(h);
  h->state = HANDOVER_LOADED;
  h->id = id;
  h->channel = channel;
}

void handover_end(struct handover *h) {
  if (h->channel >= 0) close(h->channel);
  h->state = HANDOVER_NONE;
  h->channel = -1;
}

int handover_keep(struct handover *h, const struct loader_msg *m, const char *text) {
  struct held *held = calloc(1, sizeof(*held));
  if (!held) return -ENOMEM;
  held->m = *m;
  held->text = text ? strdup(text) : NULL;
  STAILQ_INSERT_TAIL(&h->held, held, link);
  return 0;
}

struct held *handover_take(struct handover *h) {
  struct held *held = STAILQ_FIRST(&h->held);
  if (held) STAILQ_REMOVE_HEAD(&h->held, link);
  return held;
}

void held_free(struct held *held) {
  free(held->text);
  free(held);
}

int handover_patience_ms(const struct handover *h, uint64_t now_us) {
  if (h->state != HANDOVER_HOLDING) return -1;
  uint64_t deadline = h->order.commit.deadline_us;
  return deadline > now_us ? (int)((deadline - now_us) / 1000) + 1 : 0;
}
