#include "bus/history.h"

#include <stddef.h>
#include <stdio.h>

void history_add(struct history *h, uint64_t now_us, enum history_kind kind, endpoint_t peer,
                 const msg_t *m) {
  h->entries[h->n++ & (HISTORY_ENTRIES - 1)] = (struct history_entry){.time_us = now_us,
                                                                      .kind = kind,
                                                                      .peer = peer,
                                                                      .type = m->type,
                                                                      .status = m->status,
                                                                      .payload = m->payload};
}

static const struct history_entry *entry(const struct history *h, unsigned i) {
  unsigned have = h->n < HISTORY_ENTRIES ? h->n : HISTORY_ENTRIES;
  return i < have ? &h->entries[(h->n - have + i) & (HISTORY_ENTRIES - 1)] : NULL;
}

endpoint_t history_peer(const struct history *h, unsigned i) {
  const struct history_entry *e = entry(h, i);
  return e ? e->peer : 0;
}

int history_format(const struct history *h, unsigned i, uint64_t now_us, const char *peer_name,
                   char *text, unsigned cap) {
  static const char *const kinds[] = {
      [HISTORY_SENT] = "sent to",
      [HISTORY_RECEIVED] = "received from",
      [HISTORY_REPLIED] = "replied to",
      [HISTORY_ANSWERED] = "got the answer of",
  };
  const struct history_entry *e = entry(h, i);
  if (!e) return 0;
  snprintf(text, cap, "%8.3f ms before: %s %s: type 0x%x, status %d, %u bytes",
           (double)(now_us - e->time_us) / 1000, kinds[e->kind], peer_name,
           e->type & ~SYS_REPLY_FLAG, e->status, e->payload);
  return 1;
}
