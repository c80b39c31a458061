#include "bus/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/control.h"
#include "bus/request.h"

#define READERS_MAX 8u

static struct reader {
  bool used;
  int fd;
  uint64_t components; /* endpoints that it wants; all bits: everything */
  uint32_t lost;
} readers[READERS_MAX];

typedef Proteos__TraceEvent event_t;

static void update_flag(void) {
  bus.tracing = false;
  for (unsigned i = 0; i < READERS_MAX; i++)
    bus.tracing |= readers[i].used;
}

static int parse(char *const *filters, size_t n, uint64_t *components, char *text, size_t cap) {
  *components = n ? 0 : ~0ull;
  for (size_t i = 0; i < n; i++) {
    char name[MANIFEST_NAME_MAX + 2];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(filters[i], ":"), filters[i]);
    endpoint_t id = manifest_find(bus.manifest, name);
    if (name[0] && !id) {
      snprintf(text, cap, "there is no component '%s'", name);
      return -ENOENT;
    }
    *components |= name[0] ? 1ull << id : ~0ull;
  }
  return 0;
}

int trace_subscribe(int fd, char *const *filters, size_t nfilters, char *text, size_t cap) {
  uint64_t components;
  int error = parse(filters, nfilters, &components, text, cap);
  if (error) return error;
  for (unsigned i = 0; i < READERS_MAX; i++) {
    if (readers[i].used) continue;
    readers[i] = (struct reader){.used = true, .fd = fd, .components = components};
    bus.tracing = true;
    return 0;
  }
  snprintf(text, cap, "%u traces are running already", READERS_MAX);
  return -EMFILE;
}

void trace_unsubscribe(int fd) {
  for (unsigned i = 0; i < READERS_MAX; i++)
    if (readers[i].used && readers[i].fd == fd) readers[i].used = false;
  update_flag();
}

static void send_lost(struct reader *r, uint64_t time_us) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  event_t lost = PROTEOS__TRACE_EVENT__INIT;
  lost.kind = PROTEOS__TRACE_EVENT__KIND__LOST;
  lost.time_us = time_us;
  lost.lost = r->lost;
  reply.trace = &lost;
  if (control_reply(r->fd, &reply) == 0) r->lost = 0;
}

static const char *name_of(endpoint_t id) {
  const struct endpoint *e = bus_endpoint(id);
  return e ? e->component->name : "bus";
}

/* `event` has its kind, message and token. */
static void emit(event_t *event, endpoint_t from, endpoint_t to, const msg_t *m) {
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  event->time_us = bus_now_us() - bus.started_us;
  event->source = (char *)(uintptr_t)name_of(from);
  event->destination = (char *)(uintptr_t)name_of(to);
  event->message.data = (uint8_t *)(uintptr_t)m;
  event->message.len = sizeof(*m);
  event->payload = m->payload;
  reply.trace = event;
  uint64_t parties = (1ull << from | 1ull << to) & ~1ull;
  for (unsigned i = 0; i < READERS_MAX; i++) {
    struct reader *r = &readers[i];
    if (!r->used || !(r->components & parties)) continue;
    if (r->lost) send_lost(r, event->time_us);
    /* A reader that is gone is found out when its connection is read. */
    if (r->lost || control_reply(r->fd, &reply) < 0) r->lost++;
  }
}

static event_t event_of(Proteos__TraceEvent__Kind kind, uint64_t token) {
  event_t event = PROTEOS__TRACE_EVENT__INIT;
  event.kind = kind;
  event.token = token;
  return event;
}

void trace_request(const struct request *r) {
  event_t event = event_of(request_is_sendrec(r) ? PROTEOS__TRACE_EVENT__KIND__SENDREC
                                                 : PROTEOS__TRACE_EVENT__KIND__CALL,
                           r->m.token);
  emit(&event, r->caller, r->callee, &r->m);
}

void trace_reply(const struct request *r, const msg_t *reply) {
  event_t event = event_of(PROTEOS__TRACE_EVENT__KIND__REPLY, request_token(r));
  msg_t m = *reply;
  m.type = r->m.type | SYS_REPLY_FLAG;
  emit(&event, r->callee, r->caller, &m);
}

void trace_notify(const struct endpoint *from, const struct endpoint *to, uint64_t bits) {
  event_t event = event_of(PROTEOS__TRACE_EVENT__KIND__NOTIFY, 0);
  const msg_t m = {.source = from->id, .type = SYS_NOTIFIED, .bits = bits};
  emit(&event, from->id, to->id, &m);
}

void trace_delivery(const struct endpoint *to, const msg_t *m) {
  /* Others have a cookie or bits in its place. */
  bool is_request = m->type >= 0x100 && !(m->type & SYS_REPLY_FLAG);
  event_t event = event_of(PROTEOS__TRACE_EVENT__KIND__DELIVER, is_request ? m->token : 0);
  emit(&event, m->source, to->id, m);
}

void trace_kernel(const struct version *v, const msg_t *m) {
  event_t event = event_of(PROTEOS__TRACE_EVENT__KIND__SENDREC, 0);
  emit(&event, v->endpoint->id, SYS_KERNEL, m);
}
