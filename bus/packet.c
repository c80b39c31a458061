#include "bus/packet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/fdpass.h"
#include "bus/kern.h"
#include "libst/annotate.h"

#define PACKET_FDS_MAX 4u

struct packet {
  const struct bus_packet *head;
  const struct bus_op *ops;
  const void *payload;
  int fds[PACKET_FDS_MAX];
  unsigned nfds;
};

/* The payload belongs to the one operation that has any. @return what is wrong, or NULL */
static const char *check(struct packet *p, const uint8_t *bytes, size_t n) {
  p->head = (const struct bus_packet *)bytes;
  if (n < sizeof(*p->head)) return "sent a packet that is too short";
  if (p->head->version != BUS_ABI_VERSION) return "speaks another version of the bus";
  if (p->head->nops == 0 || p->head->nops > BUS_OPS_MAX) return "sent too many operations at once";
  size_t at = sizeof(*p->head) + p->head->nops * sizeof(struct bus_op), payload = 0;
  if (n < at) return "sent a packet that is cut short";
  p->ops = (const struct bus_op *)(p->head + 1);
  for (uint32_t i = 0; i < p->head->nops; i++) {
    if (!p->ops[i].payload) continue;
    if (payload) return "sent two payloads in one packet";
    payload = p->ops[i].payload;
  }
  if (payload > SYS_PAYLOAD_MAX) return "sent a payload that is too large";
  if (n != at + payload) return "sent a payload of another length than it said";
  p->payload = bytes + at;
  return NULL;
}

static void refuse(struct version *v, int error) {
  const msg_t none = {.source = SYS_KERNEL, .status = error};
  version_deliver(v, BUS_DELIVER_ANSWER, error, &none, NULL, NULL, 0);
}

/* A version that is not live yet, or no more (frozen), may only wait and make kernel calls. */
static bool may_act(struct version *v, bool answered) {
  if (version_is_live(v) && v->endpoint->state != ENDPOINT_FROZEN) return true;
  if (answered)
    refuse(v, -SYS_ENOTLIVE);
  else
    version_kill(v, "acted while it was not live");
  return false;
}

static void do_sendrec(struct version *v, const struct bus_op *op, const msg_t *m,
                       struct packet *p) {
  if (op->dst == SYS_KERNEL) {
    kern_call(v, m, p->payload, p->fds, &p->nfds);
  } else if (may_act(v, true)) {
    endpoint_sendrec(v->endpoint, op->dst, m, p->payload);
  }
}

static void do_reply(struct version *v, const struct bus_op *op, const msg_t *m,
                     const void *payload) {
  bool answered = op->flags & BUS_ACK;
  if (!may_act(v, answered)) return;
  /* Without acknowledgement a stale token is no error: its caller died meanwhile. */
  int error = endpoint_reply(v->endpoint, op->arg, m, payload);
  if (answered) refuse(v, error);
}

static void do_receive(struct version *v, const struct bus_op *op) {
  if (version_is_live(v)) {
    endpoint_receive(v->endpoint, !(op->flags & BUS_NESTED));
  } else {
    v->state = VERSION_RECEIVING;
    version_deliver_control(v);
  }
}

static void do_op(struct version *v, const struct bus_op *op, struct packet *p) {
  msg_t m = op->m;
  m.payload = op->payload;
  switch ((enum bus_op_code)op->code) {
  case BUS_OP_RECEIVE:
    do_receive(v, op);
    return;
  case BUS_OP_SENDREC:
    do_sendrec(v, op, &m, p);
    return;
  case BUS_OP_CALL:
    if (may_act(v, false)) endpoint_call(v->endpoint, op->dst, &m, p->payload, op->arg);
    return;
  case BUS_OP_NOTIFY:
    /* libsys has refused what is not permitted: whoever gets here has no libsys, or one that knows
     * an earlier manifest. */
    if (may_act(v, false) && endpoint_notify(v->endpoint, op->dst, op->arg) < 0 && !bus.reloaded)
      version_kill(v, "notified a component that it may not");
    return;
  case BUS_OP_REPLY:
    do_reply(v, op, &m, p->payload);
    return;
  }
  version_kill(v, "sent an unknown operation");
}

static bool waits(const struct bus_op *op) {
  return op->code == BUS_OP_RECEIVE || op->code == BUS_OP_SENDREC ||
         (op->code == BUS_OP_REPLY && op->flags & BUS_ACK);
}

static void handle(struct version *v, struct packet *p) {
  for (uint32_t i = 0; i < p->head->nops; i++) {
    if (waits(&p->ops[i]) && i != p->head->nops - 1) {
      version_kill(v, "waits in the middle of a packet");
      return;
    }
    do_op(v, &p->ops[i], p);
    if (v->state == VERSION_ENDING) return;
  }
}

bool packet_read(struct version *v) {
  static union {
    uint64_t align;
    uint8_t bytes[BUS_PACKET_MAX];
  } in;
  struct packet p = {.nfds = PACKET_FDS_MAX};
  ssize_t n = fdpass_receive(v->channel, in.bytes, sizeof(in.bytes), p.fds, &p.nfds);
  if (n == -EAGAIN || n == -EINTR) return false;
  if (n <= 0) {
    /* A version without its channel can do nothing any more; mostly it is just exiting. */
    version_kill(v, n == -EMSGSIZE ? "sent a packet that is too large" : NULL);
    return false;
  }
  v->exchanges++;
  const char *wrong = v->state == VERSION_BUSY ? check(&p, in.bytes, (size_t)n)
                                               : "sent a packet while it waits for one";
  if (wrong)
    version_kill(v, wrong);
  else
    handle(v, &p);
  fdpass_close(p.fds, p.nfds);
  return true;
}
ST_STATIC(packet_read, in, dont_transfer);

void packet_ready(int fd, void *version) {
  (void)fd;
  packet_read(version);
}

void packet_drain(struct version *v) {
  while (v->state != VERSION_ENDING && packet_read(v)) {
  }
}
