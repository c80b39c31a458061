#include "bus/selftest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/timer.h"

enum { ASKER = 1, ANSWERER = 2, BOTH = 2 };
#define QUESTION 0x900u
#define VALUE    0x5e1fu
#define COOKIE   77u
#define ALARM    5u

static int ends[BOTH + 1] = {-1, -1, -1}; /* of the components */
ST_VAR(ends, dont_transfer);

/* ---- what a component does ---- */

static int do_ops(endpoint_t id, const struct bus_op *ops, uint32_t n) {
  struct bus_packet head = {BUS_ABI_VERSION, n};
  struct iovec iov[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)ops, n * sizeof(*ops)}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  return sendmsg(ends[id], &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive(endpoint_t id) {
  return do_ops(id, &(struct bus_op){.code = BUS_OP_RECEIVE}, 1);
}

/* Lets the bus run until it has sent the component something. */
static int get(endpoint_t id, enum bus_delivery_kind kind, struct bus_delivery *d) {
  ssize_t n;
  while ((n = recv(ends[id], d, sizeof(*d), MSG_DONTWAIT)) < 0 && errno == EAGAIN)
    loop_once(true);
  if (n != (ssize_t)sizeof(*d)) return -EPROTO;
  return d->kind == kind && d->error == 0 ? 0 : -EBADMSG;
}

/* The answerer gets the question and answers with its value. */
static int answer(void) {
  struct bus_delivery d;
  int error = get(ANSWERER, BUS_DELIVER_MESSAGE, &d);
  if (error) return error;
  if (d.m.type != QUESTION || d.m.source != ASKER) return -EBADMSG;
  const struct bus_op ops[] = {
      {.code = BUS_OP_REPLY, .arg = d.m.token, .m = {.u32 = {d.m.u32[0]}}},
      {.code = BUS_OP_RECEIVE},
  };
  return do_ops(ANSWERER, ops, 2);
}

/* ---- what is tried ---- */

static int try_sendrec(void) {
  struct bus_delivery d;
  const struct bus_op ask = {
      .code = BUS_OP_SENDREC, .dst = ANSWERER, .m = {.type = QUESTION, .u32 = {VALUE}}};
  int error = receive(ANSWERER);
  if (!error) error = do_ops(ASKER, &ask, 1);
  if (!error) error = answer();
  if (!error) error = get(ASKER, BUS_DELIVER_ANSWER, &d);
  return error ? error : d.m.u32[0] == VALUE ? 0 : -EBADMSG;
}

static int try_call(void) {
  struct bus_delivery d;
  const struct bus_op ops[] = {{.code = BUS_OP_CALL,
                                .dst = ANSWERER,
                                .arg = COOKIE,
                                .m = {.type = QUESTION, .u32 = {VALUE}}},
                               {.code = BUS_OP_RECEIVE}};
  int error = do_ops(ASKER, ops, 2);
  if (!error) error = answer();
  if (!error) error = get(ASKER, BUS_DELIVER_MESSAGE, &d);
  return error ? error : d.m.cookie == COOKIE && d.m.u32[0] == VALUE ? 0 : -EBADMSG;
}

static int try_notify(void) {
  struct bus_delivery d;
  const struct bus_op notify = {.code = BUS_OP_NOTIFY, .dst = ANSWERER, .arg = VALUE};
  int error = do_ops(ASKER, &notify, 1);
  if (!error) error = get(ANSWERER, BUS_DELIVER_MESSAGE, &d);
  return error ? error : d.m.type == SYS_NOTIFIED && d.m.bits == VALUE ? 0 : -EBADMSG;
}

static int try_alarm(void) {
  struct bus_delivery d;
  struct bus_op set = {.code = BUS_OP_SENDREC, .dst = SYS_KERNEL, .m = {.type = KERN_ALARM}};
  set.m.u32[0] = ALARM;
  set.m.u64[1] = bus_now_us() + 1;
  int error = do_ops(ASKER, &set, 1);
  if (!error) error = get(ASKER, BUS_DELIVER_ANSWER, &d);
  if (!error) error = receive(ASKER);
  if (!error) error = get(ASKER, BUS_DELIVER_MESSAGE, &d);
  return error ? error : d.m.source == SYS_KERNEL && d.m.bits == 1ull << ALARM ? 0 : -EBADMSG;
}

/* ---- the bus that it is tried on ---- */

static int serve(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  ends[id] = pair[1];
  e->live = version_new(e, SYS_START_FRESH, dup(pair[1]));
  if (!e->live) {
    close(pair[0]);
    return -ENOMEM;
  }
  e->live->channel = pair[0];
  e->live->state = VERSION_BUSY;
  e->state = ENDPOINT_RUNNING;
  e->incarnation = 1;
  return loop_add(pair[0], LOOP_READ, false, packet_ready, e->live);
}

static int set_up(struct manifest *m) {
  int error = bus_init(m, "selftest", "");
  if (!error) error = loop_init();
  if (!error) error = timer_init();
  bus.state = BUS_RUNNING;
  for (endpoint_t id = 1; id <= BOTH && !error; id++)
    error = serve(id);
  return error;
}

static void tear_down(void) {
  for (endpoint_t id = 1; id <= BOTH; id++) {
    struct endpoint *e = bus_endpoint(id);
    if (e && e->live) version_free(e->live);
    if (ends[id] >= 0) close(ends[id]);
    ends[id] = -1;
  }
  timer_deinit();
  loop_deinit();
  bus_deinit();
}

int selftest_run(char *why, size_t cap) {
  static const struct {
    const char *name;
    int (*run)(void);
  } parts[] = {
      {"a sendrec", try_sendrec},
      {"a call", try_call},
      {"a notification", try_notify},
      {"an alarm", try_alarm},
  };
  struct manifest_call calls[] = {{.to = "answerer"}};
  struct manifest_component components[] = {
      {.name = "asker", .calls = calls, .calls_count = 1, .calls_max = 1}, {.name = "answerer"}};
  struct manifest manifest = {.components = components, .components_count = BOTH};
  int error = set_up(&manifest);
  if (error) snprintf(why, cap, "self test: its bus cannot be made: %s", strerror(-error));
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !error; i++) {
    error = parts[i].run();
    if (error) snprintf(why, cap, "self test: %s fails: %s", parts[i].name, strerror(-error));
  }
  tear_down();
  return error;
}
