/* Requests, answers, calls and notifications between components that all run. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "bus/test-bus.h"
#include "bus/test-run.h"

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

int main(void) {
  Suite *s = suite_create("rendezvous");
  TCase *t = tcase_create("rendezvous");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_test(t, sendrec_to_a_waiting_server);
  tcase_add_test(t, sendrec_waits_for_a_busy_server);
  tcase_add_test(t, reply_and_receive_in_one_packet);
  tcase_add_test(t, payload_arrives_at_once_and_queued);
  tcase_add_test(t, permissions);
  tcase_add_test(t, stale_tokens);
  tcase_add_test(t, run_time_cycles);
  tcase_add_test(t, calls_are_answered_through_receive);
  tcase_add_test(t, more_calls_than_allowed);
  tcase_add_test(t, notifications_are_ored_by_source);
  tcase_add_test(t, notifications_do_not_starve_requests);
  tcase_add_test(t, deadline_passes);
  suite_add_tcase(s, t);
  return test_run(s);
}
