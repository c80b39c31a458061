#include "servers/storage/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "libst/annotate.h"

struct kept {
  STAILQ_ENTRY(kept) link;
  uint8_t message[sizeof(msg_t)];
  uint8_t *payload;
};
ST_FIELD(struct kept, message, opaque); /* the client's, as is the payload */

static STAILQ_HEAD(, kept) kept = STAILQ_HEAD_INITIALIZER(kept);
static uint8_t current[SYS_PAYLOAD_MAX]; /* payload of the message that was received last */
ST_VAR(current, opaque);
static uint32_t alarms; /* that are set, bits of enum inbox_alarm */

static void keep(const msg_t *m) {
  struct kept *k = calloc(1, sizeof *k);
  uint8_t *payload = m->payload ? malloc(m->payload) : NULL;
  if (!k || (m->payload && !payload)) {
    msg_t reply = {.type = m->type | SYS_REPLY_FLAG, .status = -ENOMEM};
    if (msg_is_request(m)) sys_reply(m->token, &reply);
    free(k);
    free(payload);
    return;
  }
  memcpy(k->message, m, sizeof *m);
  if (payload) memcpy(payload, sys_payload(), m->payload);
  k->payload = payload;
  STAILQ_INSERT_TAIL(&kept, k, link);
}
ST_BLOCKS(keep, opaque);

/* The bus's buffer is used again by whoever waits deeper in the stack, so payloads are copied. */
void inbox_receive(msg_t *m, const void **payload) {
  struct kept *k = STAILQ_FIRST(&kept);
  *payload = current;
  if (!k) {
    sys_receive(m);
    if (m->payload) memcpy(current, sys_payload(), m->payload);
    return;
  }
  STAILQ_REMOVE_HEAD(&kept, link);
  memcpy(m, k->message, sizeof *m);
  if (m->payload) memcpy(current, k->payload, m->payload);
  free(k->payload);
  free(k);
}

void inbox_pause(uint64_t us) {
  msg_t m;
  inbox_alarm(ALARM_PAUSE, us);
  do {
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL && m.bits & 1u << ALARM_PAUSE) {
      inbox_alarm_came(ALARM_PAUSE);
      m.bits &= ~(1ull << ALARM_PAUSE);
      if (!m.bits) return;
    }
    keep(&m);
  } while (alarms & 1u << ALARM_PAUSE);
}

void inbox_alarm(enum inbox_alarm which, uint64_t us) {
  if (alarms & 1u << which) return;
  alarms |= 1u << which;
  sys_alarm(which, sys_time_us() + us);
}

void inbox_alarm_came(enum inbox_alarm which) {
  alarms &= ~(1u << which);
}
