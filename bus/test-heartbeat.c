/* Who hangs, and who only waits. */
#include <check.h>

#include "bus/test-bus.h"
#include "bus/test-run.h"

enum { HEARTBEAT_MS = 400 };

/* Lets so much of a heartbeat pass. */
static void pass(endpoint_t id, unsigned ms) {
  struct heartbeat *h = &bus_endpoint(id)->heartbeat;
  for (uint64_t end = h->at_us + ms * 1000; h->at_us < end;)
    heartbeat_expire(bus_endpoint(id), h->at_us);
}

static struct version *with_heartbeat(endpoint_t id) {
  test_components[id - 1].heartbeat_ms = HEARTBEAT_MS;
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

int main(void) {
  Suite *s = suite_create("heartbeat");
  TCase *t = tcase_create("heartbeat");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_test(t, one_that_hangs_is_ended);
  tcase_add_test(t, an_idle_one_is_asked_for_a_sign);
  tcase_add_test(t, a_busy_one_is_not_asked);
  tcase_add_test(t, who_waits_for_others_or_is_held_does_not_hang);
  suite_add_tcase(s, t);
  return test_run(s);
}
