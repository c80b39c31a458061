/* What reaches a component that an update holds, converging or frozen, and what is kept for it. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "bus/test-bus.h"
#include "bus/test-run.h"
#include "bus/update.h"

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
  server->live = serve(SERVER);
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

int main(void) {
  Suite *s = suite_create("hold");
  TCase *t = tcase_create("hold");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_test(t, converging_takes_replies_notifications_and_its_callees);
  tcase_add_test(t, frozen_takes_nothing_and_loses_nothing);
  tcase_add_test(t, frozen_may_not_act);
  tcase_add_test(t, deadline_stands_still_while_the_callee_is_held);
  tcase_add_test(t, new_version_gets_what_was_pending);
  tcase_add_test(t, new_version_hears_that_it_is_live_before_of_the_next_update);
  suite_add_tcase(s, t);
  return test_run(s);
}
