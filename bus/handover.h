/* The update of busd, as the loader sees it: a second busd with a channel of its own, and what the
 * loader has to say while it is not decided which of the two goes on. */
#ifndef PROTEOS_HANDOVER_H
#define PROTEOS_HANDOVER_H

#include <sys/queue.h>

#include "bus/loader_proto.h"

enum handover_state {
  HANDOVER_NONE,
  HANDOVER_LOADED,  /* the new busd runs beside the old one */
  HANDOVER_HOLDING, /* the old one exports its state or has; messages are kept */
};

struct held {
  struct loader_msg m;
  char *text; /* NULL: none */
  STAILQ_ENTRY(held) link;
};

struct handover {
  enum handover_state state;
  uint32_t id;             /* of the new busd */
  int channel;             /* to it; -1: none */
  struct loader_msg order; /* HOLDING: the commit to be decided */
  STAILQ_HEAD(, held) held;
};

void handover_init(struct handover *h);
/** A new busd was started. @param channel  taken over */
void handover_begin(struct handover *h, uint32_t id, int channel);
/** Nothing is under way any more. What was kept stays. */
void handover_end(struct handover *h);

/** Keeps a message. @return 0 or -ENOMEM */
int handover_keep(struct handover *h, const struct loader_msg *m, const char *text);
/** The oldest message that was kept, or NULL; the caller frees it with held_free(). */
struct held *handover_take(struct handover *h);
void held_free(struct held *held);

/** Milliseconds until the order's deadline, for poll(); -1: there is none. */
int handover_patience_ms(const struct handover *h, uint64_t now_us);

#endif
