/* The rendezvous, driven packet by packet: a test plays the components, over real socketpairs. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/timer.h"
#include "bus/update.h"

enum { SERVER = 1, CLIENT = 2, OTHER = 3, STRANGER = 4 };
#define ASK 0x900u

static struct manifest_call client_calls[] = {{"server", 0}};
static struct manifest_call other_calls[] = {{"server", 100}, {"client", 0}};
static struct manifest_component components[] = {
    {.name = "server", .calls_max = 2},
    {.name = "client", .calls = client_calls, .calls_count = 1, .calls_max = 2},
    {.name = "other", .calls = other_calls, .calls_count = 2, .calls_max = 2},
    {.name = "stranger", .calls_max = 2},
};
static struct manifest manifest = {.components = components, .components_count = 4};
static int component_end[ENDPOINTS_MAX];

static struct version *serve(endpoint_t id, int *theirs) {
  int pair[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  struct version *v = version_new(bus_endpoint(id), SYS_START_FRESH, open("/dev/null", O_RDONLY));
  v->channel = pair[0];
  v->state = VERSION_BUSY;
  *theirs = pair[1];
  return v;
}

static void setup(void) {
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", "/nonexistent"), 0);
  bus.state = BUS_RUNNING;
  for (endpoint_t id = 1; id <= 4; id++) {
    struct endpoint *e = bus_endpoint(id);
    e->live = serve(id, &component_end[id]);
    e->state = ENDPOINT_RUNNING;
    e->incarnation = 1;
  }
}

static void teardown(void) {
  bus_deinit();
}

/* ---- what a component does ---- */

static void send_ops(endpoint_t id, const struct bus_op *ops, uint32_t n, const void *payload) {
  struct bus_packet head = {BUS_ABI_VERSION, n};
  size_t bytes = 0;
  for (uint32_t i = 0; i < n; i++)
    bytes += ops[i].payload;
  struct iovec iov[] = {{&head, sizeof(head)},
                        {(void *)(uintptr_t)ops, n * sizeof(*ops)},
                        {(void *)(uintptr_t)payload, bytes}};
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};
  ck_assert_int_gt(sendmsg(component_end[id], &msg, 0), 0);
  packet_read(bus_endpoint(id)->live);
}

static void receive(endpoint_t id) {
  send_ops(id, &(struct bus_op){.code = BUS_OP_RECEIVE}, 1, NULL);
}

static void sendrec(endpoint_t id, endpoint_t dst, uint32_t value) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .dst = dst, .m = {.type = ASK, .u32 = {value}}};
  send_ops(id, &op, 1, NULL);
}

static void call(endpoint_t id, endpoint_t dst, uint64_t cookie) {
  struct bus_op op = {.code = BUS_OP_CALL, .dst = dst, .arg = cookie, .m = {.type = ASK}};
  send_ops(id, &op, 1, NULL);
}

static void notify(endpoint_t id, endpoint_t dst, uint64_t bits) {
  send_ops(id, &(struct bus_op){.code = BUS_OP_NOTIFY, .dst = dst, .arg = bits}, 1, NULL);
}

static void reply(endpoint_t id, uint64_t token, uint32_t value, uint16_t flags) {
  struct bus_op op = {.code = BUS_OP_REPLY, .flags = flags, .arg = token, .m = {.u32 = {value}}};
  send_ops(id, &op, 1, NULL);
}

/* What busd has sent to it. */
static struct {
  struct bus_delivery d;
  char payload[SYS_PAYLOAD_MAX];
} in;

static bool got(endpoint_t id) {
  return recv(component_end[id], &in, sizeof(in), MSG_DONTWAIT) > 0;
}

static void expect_message(endpoint_t id, endpoint_t source, uint32_t type) {
  ck_assert_msg(got(id), "endpoint %d got nothing", id);
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_MESSAGE);
  ck_assert_int_eq(in.d.m.source, source);
  ck_assert_uint_eq(in.d.m.type, type);
}

static void expect_answer(endpoint_t id, int error) {
  ck_assert_msg(got(id), "endpoint %d got nothing", id);
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_ANSWER);
  ck_assert_int_eq(in.d.error, error);
}

static void expect_killed(endpoint_t id) {
  ck_assert_int_eq(bus_endpoint(id)->live->state, VERSION_ENDING);
}

/* As when the loader has reported the death, without a restart. */
static void die(endpoint_t id, int error) {
  struct endpoint *e = bus_endpoint(id);
  e->state = ENDPOINT_DEAD;
  version_free(e->live);
  e->live = NULL;
  endpoint_forget(e);
  endpoint_fail_requests(e, error);
}

/* ---- sendrec and reply ---- */

START_TEST(sendrec_to_a_waiting_server) {
  receive(SERVER);
  ck_assert(!got(SERVER));
  sendrec(CLIENT, SERVER, 7);
  expect_message(SERVER, CLIENT, ASK);
  ck_assert_uint_eq(in.d.m.u32[0], 7);
  ck_assert_uint_ne(in.d.m.token, 0);
  ck_assert(!got(CLIENT));
  reply(SERVER, in.d.m.token, 8, 0);
  expect_answer(CLIENT, 0);
  ck_assert_uint_eq(in.d.m.type, ASK | SYS_REPLY_FLAG);
  ck_assert_uint_eq(in.d.m.u32[0], 8);
  ck_assert_int_eq(in.d.m.source, SERVER);
}
END_TEST

START_TEST(sendrec_waits_for_a_busy_server) {
  sendrec(CLIENT, SERVER, 1);
  sendrec(OTHER, SERVER, 2);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  ck_assert_msg(!got(SERVER), "one packet for one receive");
  receive(SERVER);
  expect_message(SERVER, OTHER, ASK);
  ck_assert_uint_eq(in.d.m.u32[0], 2);
}
END_TEST

START_TEST(reply_and_receive_in_one_packet) {
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  struct bus_op ops[] = {{.code = BUS_OP_REPLY, .arg = in.d.m.token}, {.code = BUS_OP_RECEIVE}};
  send_ops(SERVER, ops, 2, NULL);
  expect_answer(CLIENT, 0);
  sendrec(CLIENT, SERVER, 2);
  expect_message(SERVER, CLIENT, ASK);
}
END_TEST

START_TEST(payload_arrives_at_once_and_queued) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .dst = SERVER, .payload = 6, .m = {.type = ASK}};
  send_ops(CLIENT, &op, 1, "queued");
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  ck_assert_uint_eq(in.d.m.payload, 6);
  ck_assert_mem_eq(in.payload, "queued", 6);
  struct bus_op answer = {.code = BUS_OP_REPLY, .arg = in.d.m.token, .payload = 4};
  send_ops(SERVER, &answer, 1, "back");
  expect_answer(CLIENT, 0);
  ck_assert_mem_eq(in.payload, "back", 4);
}
END_TEST

START_TEST(permissions) {
  sendrec(STRANGER, SERVER, 0);
  expect_answer(STRANGER, -EPERM);
  sendrec(SERVER, CLIENT, 0);
  expect_answer(SERVER, -EPERM);
  sendrec(CLIENT, 63, 0);
  expect_answer(CLIENT, -SYS_EDEADSRCDST);
  struct bus_op forged = {.code = BUS_OP_SENDREC, .dst = SERVER, .m = {.type = SYS_EXITED}};
  send_ops(CLIENT, &forged, 1, NULL);
  expect_answer(CLIENT, -EINVAL);
  notify(STRANGER, SERVER, 1);
  expect_killed(STRANGER);
}
END_TEST

START_TEST(stale_tokens) {
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t token = in.d.m.token;
  reply(OTHER, token, 0, BUS_ACK);
  expect_answer(OTHER, -ESTALE);
  reply(SERVER, token + 1, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  reply(SERVER, token, 0, BUS_ACK);
  expect_answer(SERVER, 0);
  reply(SERVER, token, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  expect_answer(CLIENT, 0);
  ck_assert_msg(!got(CLIENT), "one answer for one request");
}
END_TEST

START_TEST(token_of_a_former_life_is_stale) {
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t token = in.d.m.token;
  die(CLIENT, -SYS_ERESTARTED);
  struct endpoint *e = bus_endpoint(CLIENT);
  e->live = serve(CLIENT, &component_end[CLIENT]);
  e->state = ENDPOINT_RUNNING;
  e->incarnation++;
  e->sequence = 0; /* the new life's first request would have the same number */
  sendrec(CLIENT, SERVER, 2);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t fresh = in.d.m.token;
  reply(SERVER, token, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  reply(SERVER, fresh, 0, BUS_ACK);
  expect_answer(SERVER, 0);
}
END_TEST

/* ---- death ---- */

START_TEST(death_of_the_callee) {
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  sendrec(OTHER, SERVER, 2);
  die(SERVER, -SYS_ERESTARTED);
  expect_answer(CLIENT, -SYS_ERESTARTED);
  expect_answer(OTHER, -SYS_ERESTARTED);
  sendrec(CLIENT, SERVER, 3);
  expect_answer(CLIENT, -SYS_EDEADSRCDST);
}
END_TEST

START_TEST(death_of_a_queued_caller) {
  sendrec(CLIENT, SERVER, 1);
  sendrec(OTHER, SERVER, 2);
  die(CLIENT, -SYS_EDEADSRCDST);
  receive(SERVER);
  expect_message(SERVER, OTHER, ASK);
}
END_TEST

START_TEST(news_of_a_restart_comes_after_answers_of_the_former_life) {
  call(CLIENT, SERVER, 5);
  struct endpoint *server = bus_endpoint(SERVER);
  endpoint_fail_requests(server, -SYS_ERESTARTED);
  endpoint_tell(bus_endpoint(CLIENT), SERVER, false);
  endpoint_tell(bus_endpoint(CLIENT), SERVER, true);
  notify(SERVER, CLIENT, 1);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, -SYS_ERESTARTED);
  receive(CLIENT);
  expect_message(CLIENT, SYS_KERNEL, SYS_EXITED);
  ck_assert_int_eq(in.d.m.i32[0], SERVER);
  receive(CLIENT);
  expect_message(CLIENT, SYS_KERNEL, SYS_RESTARTED);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, SYS_NOTIFIED);
}
END_TEST

/* ---- cycles ---- */

START_TEST(run_time_cycles) {
  /* The manifest has no such edges: they are made here, as a bug of busd would. */
  bus_endpoint(SERVER)->edges[OTHER].rights = BUS_RIGHT_SENDREC;
  bus_endpoint(SERVER)->edges[SERVER].rights = BUS_RIGHT_SENDREC;
  sendrec(SERVER, SERVER, 0);
  expect_answer(SERVER, -SYS_ELOCKED);
  receive(CLIENT);
  sendrec(OTHER, CLIENT, 0);
  expect_message(CLIENT, OTHER, ASK); /* received, reply owed */
  receive(SERVER);
  sendrec(CLIENT, SERVER, 0);
  expect_message(SERVER, CLIENT, ASK);
  sendrec(SERVER, OTHER, 0); /* other waits for client, which waits for server */
  expect_answer(SERVER, -SYS_ELOCKED);
}
END_TEST

/* ---- calls ---- */

START_TEST(calls_are_answered_through_receive) {
  call(CLIENT, SERVER, 11);
  call(CLIENT, SERVER, 12);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t first = in.d.m.token;
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  reply(SERVER, in.d.m.token, 2, 0);
  reply(SERVER, first, 1, 0);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_uint_eq(in.d.m.cookie, 12);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_uint_eq(in.d.m.cookie, 11);
  ck_assert_uint_eq(bus_endpoint(CLIENT)->calls_in_flight, 0);
}
END_TEST

START_TEST(more_calls_than_allowed) {
  call(CLIENT, SERVER, 1);
  call(CLIENT, SERVER, 2);
  ck_assert_uint_eq(bus_endpoint(CLIENT)->calls_in_flight, 2);
  call(CLIENT, SERVER, 3);
  expect_killed(CLIENT); /* its libsys would have said EAGAIN */
}
END_TEST

START_TEST(call_to_the_dead) {
  die(SERVER, 0);
  call(CLIENT, SERVER, 9);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, -SYS_EDEADSRCDST);
  ck_assert_uint_eq(in.d.m.cookie, 9);
}
END_TEST

/* ---- notifications ---- */

START_TEST(notifications_are_ored_by_source) {
  notify(CLIENT, SERVER, 1);
  notify(CLIENT, SERVER, 4);
  notify(OTHER, SERVER, 2);
  receive(SERVER);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 5);
  receive(SERVER);
  expect_message(SERVER, OTHER, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 2);
  receive(SERVER);
  ck_assert(!got(SERVER));
  notify(CLIENT, SERVER, 8);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
}
END_TEST

START_TEST(notifications_do_not_starve_requests) {
  sendrec(CLIENT, SERVER, 1);
  bool served = false;
  for (int i = 0; i < 3 && !served; i++) {
    notify(OTHER, SERVER, 1);
    receive(SERVER);
    ck_assert(got(SERVER));
    served = in.d.m.type == ASK;
  }
  ck_assert(served);
}
END_TEST

/* ---- deadlines ---- */

START_TEST(deadline_passes) {
  sendrec(OTHER, SERVER, 1); /* 100 ms */
  uint64_t now = bus_now_us();
  ck_assert_uint_gt(endpoint_expire(bus_endpoint(OTHER), now), now);
  ck_assert(!got(OTHER));
  endpoint_expire(bus_endpoint(OTHER), now + 101000);
  expect_answer(OTHER, -ETIMEDOUT);
  receive(SERVER);
  ck_assert_msg(!got(SERVER), "a request that timed out is not delivered");
}
END_TEST

START_TEST(deadline_stands_still_while_the_callee_is_held) {
  sendrec(OTHER, SERVER, 1);
  uint64_t deadline = bus_endpoint(OTHER)->requests[0].deadline_us;
  endpoint_hold(bus_endpoint(SERVER), ENDPOINT_CONVERGING);
  bus_endpoint(SERVER)->held_since_us -= 50000; /* held for 50 ms already */
  bus_endpoint(OTHER)->requests[0].since_us -= 60000;
  ck_assert_uint_eq(endpoint_expire(bus_endpoint(OTHER), deadline + 1000000), UINT64_MAX);
  ck_assert(!got(OTHER));
  endpoint_release(bus_endpoint(SERVER));
  ck_assert_uint_ge(bus_endpoint(OTHER)->requests[0].deadline_us, deadline + 50000);
}
END_TEST

/* ---- hold ---- */

START_TEST(converging_takes_replies_notifications_and_its_callees) {
  struct endpoint *client = bus_endpoint(CLIENT);
  client->edges[SERVER].rights |= BUS_RIGHT_CALL;
  bus_endpoint(SERVER)->edges[CLIENT].rights |= BUS_RIGHT_CALL;
  call(CLIENT, SERVER, 1);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t token = in.d.m.token;
  endpoint_hold(client, ENDPOINT_CONVERGING);
  sendrec(OTHER, CLIENT, 1); /* a caller: waits */
  receive(CLIENT);
  ck_assert(!got(CLIENT));
  notify(SERVER, CLIENT, 1);
  expect_message(CLIENT, SERVER, SYS_NOTIFIED);
  reply(SERVER, token, 0, 0);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  call(SERVER, CLIENT, 2); /* a callee of client: let through */
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK);
  receive(CLIENT);
  ck_assert(!got(CLIENT));
  endpoint_release(client);
  expect_message(CLIENT, OTHER, ASK);
}
END_TEST

START_TEST(interface_filter_decides_what_converging_takes) {
  struct endpoint *server = bus_endpoint(SERVER);
  const struct bus_step only_client[] = {
      {BUS_STEP_SOURCE, 0}, {BUS_STEP_NUMBER, CLIENT}, {BUS_STEP_EQUAL, 0}};
  ck_assert_int_eq(interface_set(&server->allow, only_client, sizeof(only_client)), 0);
  endpoint_hold(server, ENDPOINT_CONVERGING);
  notify(OTHER, SERVER, 1);
  sendrec(OTHER, SERVER, 1);
  receive(SERVER);
  ck_assert_msg(!got(SERVER), "a request or notification of another got through");
  notify(CLIENT, SERVER, 4);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 4);
  sendrec(CLIENT, SERVER, 2);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  endpoint_release(server); /* with it goes the filter */
  receive(SERVER);
  expect_message(SERVER, OTHER, SYS_NOTIFIED);
  receive(SERVER);
  expect_message(SERVER, OTHER, ASK);
}
END_TEST

START_TEST(interface_filter_that_is_no_expression) {
  static const struct {
    uint32_t count;
    struct bus_step steps[3];
  } wrong[] = {
      {1, {{BUS_STEP_NOT, 0}}},                       /* of nothing */
      {2, {{BUS_STEP_TYPE, 0}, {BUS_STEP_TYPE, 0}}},  /* two values */
      {2, {{BUS_STEP_TYPE, 0}, {BUS_STEP_EQUAL, 0}}}, /* one operand is missing */
      {1, {{99, 0}}},
      {3, {{BUS_STEP_TYPE, 0}, {BUS_STEP_NUMBER, 1}, {0, 0}}},
  };
  struct interface i;
  for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
    uint32_t bytes = wrong[n].count * (uint32_t)sizeof(struct bus_step);
    ck_assert_msg(interface_set(&i, wrong[n].steps, bytes) == -EINVAL, "%zu is taken", n);
    ck_assert_uint_eq(i.count, 0);
  }
  ck_assert_int_eq(interface_set(&i, wrong[0].steps, sizeof(struct bus_step) - 1), -EINVAL);
  static const struct bus_step many[BUS_STEPS_MAX + 1];
  ck_assert_int_eq(interface_set(&i, many, sizeof(many)), -EINVAL);
}
END_TEST

START_TEST(interface_filter_evaluates) {
  static const struct {
    struct bus_step steps[4];
    uint32_t count, expected;
  } cases[] = {
      {{{BUS_STEP_TYPE, 0}, {BUS_STEP_NUMBER, ASK}, {BUS_STEP_EQUAL, 0}}, 3, true},
      {{{BUS_STEP_TYPE, 0}, {BUS_STEP_NUMBER, ASK}, {BUS_STEP_LESS, 0}}, 3, false},
      {{{BUS_STEP_TYPE, 0}, {BUS_STEP_NUMBER, ASK}, {BUS_STEP_LESS_EQUAL, 0}}, 3, true},
      {{{BUS_STEP_NUMBER, 0}, {BUS_STEP_SOURCE, 0}, {BUS_STEP_LESS, 0}, {BUS_STEP_NOT, 0}},
       4,
       false},
      {{{BUS_STEP_PAYLOAD, 0}, {BUS_STEP_NUMBER, 7}, {BUS_STEP_EQUAL, 0}}, 3, true},
      {{{BUS_STEP_NUMBER, 1}, {BUS_STEP_NUMBER, 0}, {BUS_STEP_AND, 0}}, 3, false},
      {{{BUS_STEP_NUMBER, 2}, {BUS_STEP_NUMBER, 0}, {BUS_STEP_OR, 0}}, 3, true},
  };
  const msg_t m = {.source = CLIENT, .type = ASK, .payload = 7};
  for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
    struct interface i;
    uint32_t bytes = cases[n].count * (uint32_t)sizeof(struct bus_step);
    ck_assert_int_eq(interface_set(&i, cases[n].steps, bytes), 0);
    ck_assert_msg(interface_passes(&i, &m) == cases[n].expected, "case %zu", n);
  }
}
END_TEST

START_TEST(frozen_takes_nothing_and_loses_nothing) {
  struct endpoint *server = bus_endpoint(SERVER);
  endpoint_hold(server, ENDPOINT_FROZEN);
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  notify(OTHER, SERVER, 2);
  endpoint_notify_kernel(server, 1);
  ck_assert(!got(SERVER));
  endpoint_release(server);
  expect_message(SERVER, SYS_KERNEL, SYS_NOTIFIED);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  receive(SERVER);
  expect_message(SERVER, OTHER, SYS_NOTIFIED);
  receive(SERVER);
  ck_assert(!got(SERVER));
}
END_TEST

START_TEST(frozen_may_not_act) {
  endpoint_hold(bus_endpoint(CLIENT), ENDPOINT_FROZEN);
  sendrec(CLIENT, SERVER, 1);
  expect_answer(CLIENT, -SYS_ENOTLIVE);
  notify(CLIENT, SERVER, 1);
  expect_killed(CLIENT);
}
END_TEST

START_TEST(new_version_gets_what_was_pending) {
  struct endpoint *server = bus_endpoint(SERVER);
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t owed = in.d.m.token;
  endpoint_hold(server, ENDPOINT_FROZEN);
  sendrec(OTHER, SERVER, 2);
  struct version *old = server->live;
  int old_end = component_end[SERVER];
  server->live = serve(SERVER, &component_end[SERVER]);
  receive(SERVER);
  endpoint_release(server);
  expect_message(SERVER, OTHER, ASK);
  reply(SERVER, owed, 3, BUS_ACK); /* the old version's token is good in the new one */
  expect_answer(SERVER, 0);
  expect_answer(CLIENT, 0);
  ck_assert_uint_eq(in.d.m.u32[0], 3);
  component_end[SERVER] = old_end;
  ck_assert_msg(!got(SERVER), "the old version got something");
  version_free(old);
}
END_TEST

START_TEST(new_version_hears_that_it_is_live_before_of_the_next_update) {
  struct version *v = bus_endpoint(SERVER)->live;
  v->filter = strdup("");
  v->state_channel = dup(component_end[OTHER]);
  version_control(v, CONTROL_LIVE);
  version_control(v, CONTROL_PREPARE);
  for (unsigned i = 0; i < 2; i++) {
    receive(SERVER);
    ck_assert(got(SERVER) && in.d.kind == BUS_DELIVER_CONTROL);
    ck_assert_uint_eq(in.d.m.type, i ? BUS_CTL_PREPARE : BUS_CTL_LIVE);
  }
}
END_TEST

/* ---- a death after which another version goes on with the state ---- */

static void interrupt(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  version_free(e->live);
  e->live = NULL;
  e->state = ENDPOINT_RECOVERING;
  endpoint_interrupt(e);
}

static void go_on(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  close(component_end[id]);
  e->live = serve(id, &component_end[id]);
  e->state = ENDPOINT_RUNNING;
}

START_TEST(only_what_was_being_handled_is_lost) {
  receive(SERVER);
  call(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t held = in.d.m.token;
  receive(SERVER);
  call(CLIENT, SERVER, 2);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t lost = in.d.m.token;
  sendrec(OTHER, SERVER, 3);
  interrupt(SERVER);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, -SYS_ERESTARTED);
  ck_assert_uint_eq(in.d.m.cookie, 2);
  go_on(SERVER);
  reply(SERVER, lost, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  reply(SERVER, held, 8, BUS_ACK);
  expect_answer(SERVER, 0);
  receive(SERVER);
  expect_message(SERVER, OTHER, ASK);
  ck_assert_uint_eq(in.d.m.u32[0], 3);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, 0);
}
END_TEST

START_TEST(all_of_a_nested_wait_is_being_handled) {
  receive(SERVER);
  call(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  send_ops(SERVER, &(struct bus_op){.code = BUS_OP_RECEIVE, .flags = BUS_NESTED}, 1, NULL);
  call(CLIENT, SERVER, 2);
  expect_message(SERVER, CLIENT, ASK);
  interrupt(SERVER);
  for (unsigned i = 0; i < 2; i++) {
    receive(CLIENT);
    expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
    ck_assert_int_eq(in.d.m.status, -SYS_ERESTARTED);
  }
}
END_TEST

START_TEST(what_it_asked_is_lost) {
  receive(SERVER);
  call(OTHER, SERVER, 1); /* delivered */
  call(OTHER, SERVER, 2); /* queued */
  interrupt(OTHER);
  go_on(OTHER);
  for (uint64_t cookie = 1; cookie <= 2; cookie++) {
    receive(OTHER);
    expect_message(OTHER, SERVER, ASK | SYS_REPLY_FLAG);
    ck_assert_int_eq(in.d.m.status, -SYS_ERESTARTED);
    ck_assert_uint_eq(in.d.m.cookie, cookie);
  }
  ck_assert_uint_eq(bus_endpoint(OTHER)->calls_in_flight, 0);
  expect_message(SERVER, OTHER, ASK);
  reply(SERVER, in.d.m.token, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  receive(SERVER);
  ck_assert_msg(!got(SERVER), "a queued request of the dead was delivered");
}
END_TEST

START_TEST(an_answer_that_was_being_handled_is_lost) {
  call(CLIENT, SERVER, 9);
  receive(SERVER);
  expect_message(SERVER, CLIENT, ASK);
  receive(CLIENT);
  reply(SERVER, in.d.m.token, 1, 0);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  interrupt(CLIENT);
  go_on(CLIENT);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, -SYS_ERESTARTED);
  ck_assert_uint_eq(in.d.m.cookie, 9);
  receive(CLIENT);
  ck_assert(!got(CLIENT));
}
END_TEST

START_TEST(what_it_was_told_is_told_again) {
  receive(SERVER);
  notify(CLIENT, SERVER, 4);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
  notify(CLIENT, SERVER, 1);
  interrupt(SERVER);
  notify(CLIENT, SERVER, 2);
  go_on(SERVER);
  receive(SERVER);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 7);
  receive(SERVER);
  ck_assert(!got(SERVER));
  endpoint_tell(bus_endpoint(SERVER), OTHER, false);
  expect_message(SERVER, SYS_KERNEL, SYS_EXITED);
  interrupt(SERVER);
  go_on(SERVER);
  receive(SERVER);
  expect_message(SERVER, SYS_KERNEL, SYS_EXITED);
  ck_assert_int_eq(in.d.m.i32[0], OTHER);
}
END_TEST

/* ---- heartbeats ---- */

enum { HEARTBEAT_MS = 400 };

/* Lets so much of a heartbeat pass. */
static void pass(endpoint_t id, unsigned ms) {
  struct heartbeat *h = &bus_endpoint(id)->heartbeat;
  for (uint64_t end = h->at_us + ms * 1000; h->at_us < end;)
    heartbeat_expire(bus_endpoint(id), h->at_us);
}

static struct version *with_heartbeat(endpoint_t id) {
  components[id - 1].heartbeat_ms = HEARTBEAT_MS;
  heartbeat_start(bus_endpoint(id));
  return bus_endpoint(id)->live;
}

START_TEST(one_that_hangs_is_ended) {
  struct version *server = with_heartbeat(SERVER);
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  pass(SERVER, HEARTBEAT_MS);
  ck_assert_int_eq(server->state, VERSION_BUSY);
  pass(SERVER, HEARTBEAT_MS / 2);
  expect_killed(SERVER);
  ck_assert_uint_eq(bus_endpoint(SERVER)->hung, 1);
}
END_TEST

START_TEST(an_idle_one_is_asked_for_a_sign) {
  struct version *server = with_heartbeat(SERVER);
  for (unsigned i = 0; i < 3; i++) {
    receive(SERVER);
    ck_assert(!got(SERVER));
    pass(SERVER, HEARTBEAT_MS);
    ck_assert(got(SERVER) && in.d.kind == BUS_DELIVER_CONTROL);
    ck_assert_uint_eq(in.d.m.type, BUS_CTL_PING);
    ck_assert_int_eq(server->state, VERSION_BUSY);
  }
  pass(SERVER, HEARTBEAT_MS * 3 / 2);
  expect_killed(SERVER);
}
END_TEST

START_TEST(a_busy_one_is_not_asked) {
  with_heartbeat(SERVER);
  receive(SERVER);
  for (unsigned i = 0; i < 20; i++) {
    sendrec(CLIENT, SERVER, i);
    expect_message(SERVER, CLIENT, ASK);
    pass(SERVER, HEARTBEAT_MS / 4);
    struct bus_op ops[] = {{.code = BUS_OP_REPLY, .arg = in.d.m.token}, {.code = BUS_OP_RECEIVE}};
    send_ops(SERVER, ops, 2, NULL);
    expect_answer(CLIENT, 0);
    ck_assert(!got(SERVER));
  }
}
END_TEST

START_TEST(who_waits_for_others_or_is_held_does_not_hang) {
  struct version *client = with_heartbeat(CLIENT), *server = with_heartbeat(SERVER);
  sendrec(CLIENT, SERVER, 1);
  endpoint_hold(bus_endpoint(SERVER), ENDPOINT_CONVERGING);
  pass(CLIENT, 10 * HEARTBEAT_MS);
  pass(SERVER, 10 * HEARTBEAT_MS);
  ck_assert_int_eq(client->state, VERSION_CALLING);
  ck_assert_int_eq(server->state, VERSION_BUSY);
  endpoint_release(bus_endpoint(SERVER));
  pass(SERVER, HEARTBEAT_MS / 2);
  ck_assert_int_eq(server->state, VERSION_BUSY);
  pass(SERVER, HEARTBEAT_MS);
  expect_killed(SERVER);
}
END_TEST

/* ---- garbage ---- */

static void expect_killed_by(const void *bytes, size_t n) {
  ck_assert_int_eq(send(component_end[CLIENT], bytes, n, 0), (ssize_t)n);
  packet_read(bus_endpoint(CLIENT)->live);
  expect_killed(CLIENT);
}

static struct {
  struct bus_packet head;
  struct bus_op ops[BUS_OPS_MAX + 1];
  char payload[SYS_PAYLOAD_MAX + 1];
} bad;

START_TEST(garbage) {
  bad.head = (struct bus_packet){BUS_ABI_VERSION, 1};
  bad.ops[0] = (struct bus_op){.code = BUS_OP_RECEIVE};
  size_t one = sizeof(bad.head) + sizeof(bad.ops[0]);
  switch (_i) {
  case 0:
    expect_killed_by("x", 1);
    break;
  case 1:
    bad.head.version++;
    expect_killed_by(&bad, one);
    break;
  case 2:
    bad.head.nops = 0;
    expect_killed_by(&bad, one);
    break;
  case 3:
    bad.head.nops = BUS_OPS_MAX + 1;
    expect_killed_by(&bad, sizeof(bad.head) + sizeof(bad.ops));
    break;
  case 4:
    expect_killed_by(&bad, one - 1);
    break;
  case 5:
    bad.ops[0].payload = 5;
    expect_killed_by(&bad, one + 4);
    break;
  case 6: /* an operation that waits in the middle */
    bad.head.nops = 2;
    bad.ops[1] = bad.ops[0];
    expect_killed_by(&bad, one + sizeof(bad.ops[1]));
    break;
  case 7:
    bad.ops[0].code = 99;
    expect_killed_by(&bad, one);
    break;
  case 8: /* a second packet while the first waits */
    receive(CLIENT);
    expect_killed_by(&bad, one);
    break;
  case 9:
    bad.ops[0].payload = SYS_PAYLOAD_MAX + 1;
    expect_killed_by(&bad, sizeof(bad.head) + sizeof(bad.ops[0]) + SYS_PAYLOAD_MAX + 1);
    break;
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("endpoint");
  TCase *t = tcase_create("rendezvous");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, sendrec_to_a_waiting_server);
  tcase_add_test(t, sendrec_waits_for_a_busy_server);
  tcase_add_test(t, reply_and_receive_in_one_packet);
  tcase_add_test(t, payload_arrives_at_once_and_queued);
  tcase_add_test(t, permissions);
  tcase_add_test(t, stale_tokens);
  tcase_add_test(t, token_of_a_former_life_is_stale);
  tcase_add_test(t, death_of_the_callee);
  tcase_add_test(t, death_of_a_queued_caller);
  tcase_add_test(t, news_of_a_restart_comes_after_answers_of_the_former_life);
  tcase_add_test(t, run_time_cycles);
  tcase_add_test(t, calls_are_answered_through_receive);
  tcase_add_test(t, more_calls_than_allowed);
  tcase_add_test(t, call_to_the_dead);
  tcase_add_test(t, notifications_are_ored_by_source);
  tcase_add_test(t, notifications_do_not_starve_requests);
  tcase_add_test(t, deadline_passes);
  tcase_add_test(t, deadline_stands_still_while_the_callee_is_held);
  tcase_add_test(t, converging_takes_replies_notifications_and_its_callees);
  tcase_add_test(t, interface_filter_decides_what_converging_takes);
  tcase_add_test(t, interface_filter_that_is_no_expression);
  tcase_add_test(t, interface_filter_evaluates);
  tcase_add_test(t, frozen_takes_nothing_and_loses_nothing);
  tcase_add_test(t, frozen_may_not_act);
  tcase_add_test(t, new_version_gets_what_was_pending);
  tcase_add_test(t, new_version_hears_that_it_is_live_before_of_the_next_update);
  tcase_add_test(t, only_what_was_being_handled_is_lost);
  tcase_add_test(t, all_of_a_nested_wait_is_being_handled);
  tcase_add_test(t, what_it_asked_is_lost);
  tcase_add_test(t, an_answer_that_was_being_handled_is_lost);
  tcase_add_test(t, what_it_was_told_is_told_again);
  tcase_add_test(t, one_that_hangs_is_ended);
  tcase_add_test(t, an_idle_one_is_asked_for_a_sign);
  tcase_add_test(t, a_busy_one_is_not_asked);
  tcase_add_test(t, who_waits_for_others_or_is_held_does_not_hang);
  tcase_add_loop_test(t, garbage, 0, 10);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *r = srunner_create(suite());
  srunner_run_all(r, CK_ENV);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
