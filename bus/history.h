/* The last messages of an endpoint, for the log of a crash. */
#ifndef PROTEOS_HISTORY_H
#define PROTEOS_HISTORY_H

#include <stdint.h>

#include "libsys/msg.h"

#define HISTORY_ENTRIES 16u /* a power of two */

enum history_kind { HISTORY_SENT, HISTORY_RECEIVED, HISTORY_REPLIED, HISTORY_ANSWERED };

struct history_entry {
  uint64_t time_us;
  enum history_kind kind;
  endpoint_t peer;
  uint32_t type;
  int32_t status;
  uint32_t payload;
};

struct history {
  uint32_t n; /* ever added */
  struct history_entry entries[HISTORY_ENTRIES];
};

void history_add(struct history *h, uint64_t now_us, enum history_kind kind, endpoint_t peer,
                 const msg_t *m);

/** Describes entry `i`, 0 being the oldest that is left.
 * @return 0 when there is no such entry */
int history_format(const struct history *h, unsigned i, uint64_t now_us, const char *peer_name,
                   char *text, unsigned cap);
/** The peer of entry `i`. */
endpoint_t history_peer(const struct history *h, unsigned i);

#endif
