/* Random components against the rendezvous: whatever they do, and whoever dies or is held
 * meanwhile, each request gets exactly one answer, its own, and each notification arrives.
 *
 * Component i may ask every component below i. A seed makes a run; SEED=n repeats one. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/test-run.h"

#define N         6
#define CALLS_MAX 4u
#define OWED_MAX  (N * (CALLS_MAX + 1))
#define STEPS     20000
#define SEEDS     8
#define ASK       0x900u

static struct manifest_call calls[N + 1][N];
static struct manifest_component components[N];
static struct manifest manifest = {.components = components, .components_count = N};
static char names[N + 1][8];

struct owed {
  uint64_t token;
  uint32_t question;
  endpoint_t asker;
};

/* What the test knows of a component; the bus must agree with it. */
static struct component {
  int end;
  bool waits, in_sendrec;
  uint32_t question; /* of its sendrec */
  uint32_t asked[CALLS_MAX + 1];
  unsigned in_flight;
  struct owed owed[OWED_MAX]; /* tokens; some go stale when their asker dies */
  unsigned nowed;
  uint64_t notified, seen; /* bits sent to it, bits that it got */
} c[N + 1];
static uint32_t next_question;
static bool priorities; /* some components have one, and deliveries wait for the end of a turn */

static unsigned pick(unsigned n) {
  return (unsigned)random() % n;
}

static struct version *serve(endpoint_t id) {
  int pair[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  struct version *v = version_new(bus_endpoint(id), SYS_START_FRESH, open("/dev/null", O_RDONLY));
  v->channel = pair[0];
  v->state = VERSION_BUSY;
  c[id].end = pair[1];
  return v;
}

static void setup(void) {
  for (int i = 1; i <= N; i++) {
    snprintf(names[i], sizeof(names[i]), "c%d", i);
    for (int j = 1; j < i; j++)
      calls[i][j - 1] = (struct manifest_call){names[j], 0};
    components[i - 1] = (struct manifest_component){.name = names[i],
                                                    .calls = calls[i],
                                                    .calls_count = (unsigned)i - 1,
                                                    .calls_max = CALLS_MAX};
  }
  memset(c, 0, sizeof(c));
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "torture", "/nonexistent"), 0);
  bus.state = BUS_RUNNING;
  for (endpoint_t id = 1; id <= N; id++) {
    bus_endpoint(id)->live = serve(id);
    bus_endpoint(id)->state = ENDPOINT_RUNNING;
    bus_endpoint(id)->incarnation = 1;
  }
}

static void teardown(void) {
  for (endpoint_t id = 1; id <= N; id++) {
    version_free(bus_endpoint(id)->live);
    close(c[id].end);
  }
  bus_deinit();
}

/* ---- what components get ---- */

static void answered_call(struct component *me, const msg_t *m) {
  for (unsigned i = 0; i < me->in_flight; i++) {
    if (me->asked[i] != m->cookie) continue;
    me->asked[i] = me->asked[--me->in_flight];
    if (!m->status) ck_assert_uint_eq(m->u32[0], m->cookie);
    return;
  }
  ck_abort_msg("an answer to a call that was not made, or was answered before");
}

static void got_message(struct component *me, const msg_t *m) {
  if (m->type == SYS_NOTIFIED) {
    me->seen |= m->bits;
  } else if (m->type & SYS_REPLY_FLAG) {
    answered_call(me, m);
  } else {
    ck_assert_uint_eq(m->type, ASK);
    ck_assert_uint_lt(me->nowed, OWED_MAX);
    me->owed[me->nowed++] = (struct owed){m->token, m->u32[0], m->source};
  }
}

/* Takes what the bus has sent; at most one packet for each wait. */
static void take(endpoint_t id) {
  struct component *me = &c[id];
  struct bus_delivery d;
  if (recv(me->end, &d, sizeof(d), MSG_DONTWAIT) <= 0) return;
  ck_assert_msg(me->waits, "a packet for one that does not wait");
  me->waits = false;
  if (d.kind == BUS_DELIVER_MESSAGE) {
    ck_assert(!me->in_sendrec);
    got_message(me, &d.m);
  } else {
    ck_assert(me->in_sendrec);
    me->in_sendrec = false;
    if (!d.error) ck_assert_uint_eq(d.m.u32[0], me->question);
  }
}

static void take_all(void) {
  if (priorities) loop_once(false);
  for (endpoint_t id = 1; id <= N; id++)
    take(id);
}

/* ---- what they do ---- */

static void act(endpoint_t id, struct bus_op op) {
  struct bus_packet head = {BUS_ABI_VERSION, 1};
  struct iovec iov[] = {{&head, sizeof(head)}, {&op, sizeof(op)}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  ck_assert_int_gt(sendmsg(c[id].end, &msg, 0), 0);
  packet_read(bus_endpoint(id)->live);
  ck_assert_int_ne(bus_endpoint(id)->live->state, VERSION_ENDING);
}

static void do_receive(endpoint_t id) {
  c[id].waits = true;
  act(id, (struct bus_op){.code = BUS_OP_RECEIVE});
}

static void do_sendrec(endpoint_t id) {
  if (id == 1) return;
  c[id].waits = c[id].in_sendrec = true;
  c[id].question = ++next_question;
  act(id, (struct bus_op){.code = BUS_OP_SENDREC,
                          .dst = 1 + (endpoint_t)pick((unsigned)id - 1),
                          .m = {.type = ASK, .u32 = {next_question}}});
}

static void do_call(endpoint_t id) {
  if (id == 1 || c[id].in_flight == CALLS_MAX) return;
  c[id].asked[c[id].in_flight++] = ++next_question;
  act(id, (struct bus_op){.code = BUS_OP_CALL,
                          .dst = 1 + (endpoint_t)pick((unsigned)id - 1),
                          .arg = next_question,
                          .m = {.type = ASK, .u32 = {next_question}}});
}

static void do_reply(endpoint_t id) {
  struct component *me = &c[id];
  if (!me->nowed) return;
  unsigned i = pick(me->nowed);
  struct owed o = me->owed[i];
  me->owed[i] = me->owed[--me->nowed];
  act(id, (struct bus_op){.code = BUS_OP_REPLY, .arg = o.token, .m = {.u32 = {o.question}}});
}

static void do_notify(endpoint_t id) {
  endpoint_t to = 1 + (endpoint_t)pick(N);
  uint64_t bit = 1ull << pick(64);
  if (to == id) return;
  c[to].notified |= bit;
  act(id, (struct bus_op){.code = BUS_OP_NOTIFY, .dst = to, .arg = bit});
}

static void act_at_random(endpoint_t id) {
  struct component *me = &c[id];
  enum endpoint_state state = bus_endpoint(id)->state;
  if (me->waits || state == ENDPOINT_FROZEN) return;
  switch (pick(8)) {
  case 0:
    do_sendrec(id);
    break;
  case 1:
    do_call(id);
    break;
  case 2:
    do_notify(id);
    break;
  case 3:
  case 4:
    do_reply(id);
    break;
  default:
    do_receive(id);
    break;
  }
}

/* ---- what happens to them ---- */

static void die_and_return(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  version_free(e->live);
  close(c[id].end);
  e->live = NULL;
  e->state = ENDPOINT_DEAD;
  e->held_since_us = 0;
  endpoint_forget(e);
  schedule_forget(e);
  memset(&c[id], 0, sizeof(c[id]));
  endpoint_fail_requests(e, -SYS_ERESTARTED);
  e->incarnation++;
  e->live = serve(id);
  e->state = ENDPOINT_RUNNING;
}

/* As an update does: the old version rests in receive, the new one takes over what it knew. */
static void replace(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  if (!c[id].waits || c[id].in_sendrec) return;
  endpoint_hold(e, ENDPOINT_FROZEN);
  version_free(e->live);
  close(c[id].end);
  e->live = serve(id);
  c[id].waits = false;
  endpoint_release(e);
}

static void schedule(endpoint_t id) {
  const struct endpoint *e = bus_endpoint(id);
  if (!priorities) return;
  schedule_set_priority(id, e->incarnation, pick(BUS_PRIORITY_MAX + 1));
  schedule_preempt(id, e->incarnation, pick(2) * BUS_PREEMPT_MS_MAX);
}

static void happen_at_random(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  bool held = e->held_since_us;
  switch (pick(40)) {
  case 0:
    die_and_return(id);
    break;
  case 1:
  case 2:
    replace(id);
    break;
  case 3:
  case 4:
    if (!held) endpoint_hold(e, ENDPOINT_CONVERGING);
    break;
  case 5:
    if (held && c[id].waits && !c[id].in_sendrec) endpoint_hold(e, ENDPOINT_FROZEN);
    break;
  case 6:
  case 7:
  case 8:
    if (held) endpoint_release(e);
    break;
  case 9:
    schedule(id);
    break;
  }
}

/* As an alarm would: whoever rests in receive and owes an answer is reminded of it. */
static void remind(endpoint_t id) {
  if (c[id].in_sendrec || !c[id].nowed) return;
  c[id].notified |= 1;
  endpoint_notify_kernel(bus_endpoint(id), 1);
}

/* Lets everybody answer what it owes and receive until nothing moves. Components that wait for an
 * answer get it from below, so this ends. */
static void settle(void) {
  for (endpoint_t id = 1; id <= N; id++)
    if (bus_endpoint(id)->held_since_us) endpoint_release(bus_endpoint(id));
  for (int round = 0; round < 2000; round++) {
    take_all();
    for (endpoint_t id = 1; id <= N; id++) {
      if (c[id].waits) {
        remind(id);
        continue;
      }
      if (c[id].nowed)
        do_reply(id);
      else
        do_receive(id);
      take_all();
    }
  }
}

START_TEST(torture) {
  const char *seed = getenv("SEED");
  srandom(seed ? (unsigned)atoi(seed) : 1 + (unsigned)_i);
  priorities = pick(2);
  for (int step = 0; step < STEPS; step++) {
    endpoint_t id = 1 + (endpoint_t)pick(N);
    act_at_random(id);
    if (!priorities || pick(2)) take_all(); /* else more happens in this turn */
    happen_at_random(1 + (endpoint_t)pick(N));
    take_all();
  }
  settle();
  for (endpoint_t id = 1; id <= N; id++) {
    struct endpoint *e = bus_endpoint(id);
    ck_assert_msg(!c[id].in_sendrec, "c%d: a sendrec was never answered", id);
    ck_assert_msg(!c[id].in_flight, "c%d: %u calls were never answered", id, c[id].in_flight);
    ck_assert_uint_eq(e->calls_in_flight, 0);
    ck_assert(TAILQ_EMPTY(&e->inbox) && TAILQ_EMPTY(&e->answers));
    ck_assert_msg(c[id].seen == c[id].notified, "c%d: a notification was lost", id);
    for (unsigned i = 0; i < e->nrequests; i++)
      ck_assert_int_eq(e->requests[i].state, REQUEST_FREE);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("torture");
  TCase *t = tcase_create("torture");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, torture, 0, SEEDS);
  suite_add_tcase(s, t);
  return test_run(s);
}
