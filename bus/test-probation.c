/* What old versions get when they are taken back within their probation. */
#include <check.h>
#include <errno.h>

#include "bus/alarm.h"
#include "bus/probation.h"
#include "bus/request.h"
#include "bus/test-bus.h"
#include "bus/test-run.h"

enum { TRANSACTION = 7 };

static struct version *old[ENDPOINTS_MAX];
static int old_end[ENDPOINTS_MAX];

/* As an update does it: the old version is frozen in receive, and a new one goes on. */
static void freeze(endpoint_t id) {
  endpoint_hold(bus_endpoint(id), ENDPOINT_FROZEN);
  receive(id);
}

static void commit(endpoint_t id) {
  struct endpoint *e = bus_endpoint(id);
  old[id] = e->live;
  old_end[id] = component_end[id];
  e->live = serve(id);
  endpoint_release(e);
}

static void begin_probation(endpoint_t id) {
  ck_assert(probation_begin(bus_endpoint(id), old[id], TRANSACTION, UINT64_MAX));
}

static void take_back(endpoint_t id) {
  ck_assert(probation_failed(bus_endpoint(id), "crashed"));
}

/* The old version is told first that it goes on. */
static void expect_thaw(endpoint_t id) {
  component_end[id] = old_end[id];
  ck_assert(got(id));
  ck_assert_uint_eq(in.d.kind, BUS_DELIVER_CONTROL);
  ck_assert_uint_eq(in.d.m.type, BUS_CTL_THAW);
}

static uint64_t take_request(endpoint_t id, endpoint_t from) {
  receive(id);
  expect_message(id, from, ASK);
  return in.d.m.token;
}

static void expect_reply(endpoint_t id, uint64_t cookie, int status) {
  receive(id);
  expect_message(id, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_uint_eq(in.d.m.cookie, cookie);
  ck_assert_int_eq(in.d.m.status, status);
}

static void expect_nothing(endpoint_t id) {
  receive(id);
  ck_assert(!got(id));
}

static void setup(void) {
  test_bus_setup();
  bus_endpoint(CLIENT)->edges[SERVER].rights |= BUS_RIGHT_CALL;
}

START_TEST(answers_that_waited_come_again_in_their_order) {
  call(CLIENT, SERVER, 1);
  call(CLIENT, SERVER, 2);
  uint64_t first = take_request(SERVER, CLIENT), second = take_request(SERVER, CLIENT);
  freeze(CLIENT);
  reply(SERVER, second, 0, 0); /* not in the order of the slots */
  reply(SERVER, first, 0, 0);
  commit(CLIENT);
  begin_probation(CLIENT);
  if (_i >= 1) expect_reply(CLIENT, 2, 0); /* given to the failed version */
  if (_i == 2) expect_reply(CLIENT, 1, 0);
  take_back(CLIENT);
  expect_thaw(CLIENT);
  expect_reply(CLIENT, 2, 0);
  expect_reply(CLIENT, 1, 0);
  expect_nothing(CLIENT);
}
END_TEST

START_TEST(what_is_lost_comes_before_what_was_answered_later) {
  call(CLIENT, SERVER, 1);
  call(CLIENT, SERVER, 2);
  uint64_t first = take_request(SERVER, CLIENT), second = take_request(SERVER, CLIENT);
  freeze(CLIENT);
  commit(CLIENT);
  begin_probation(CLIENT);
  reply(SERVER, first, 0, 0);
  expect_reply(CLIENT, 1, 0);
  reply(SERVER, second, 0, 0);
  take_back(CLIENT);
  expect_thaw(CLIENT);
  expect_reply(CLIENT, 1, -SYS_ERESTARTED);
  expect_reply(CLIENT, 2, 0);
  expect_nothing(CLIENT);
}
END_TEST

static void update_both(void) {
  freeze(CLIENT);
  freeze(SERVER);
  commit(SERVER);
  commit(CLIENT);
  begin_probation(SERVER);
  begin_probation(CLIENT);
}

/* Both are members: what the failed server answered never happened. */
static uint64_t both_updated(void) {
  call(CLIENT, SERVER, 1);
  uint64_t owed = take_request(SERVER, CLIENT);
  call(CLIENT, SERVER, 2); /* waits for the new server */
  update_both();
  return owed;
}

static void expect_both_thaw(void) {
  take_back(SERVER);
  expect_thaw(CLIENT);
  expect_thaw(SERVER);
  expect_nothing(CLIENT);
}

static void answer(uint64_t token, uint64_t cookie) {
  reply(SERVER, token, 0, BUS_ACK);
  expect_answer(SERVER, 0);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_uint_eq(in.d.m.cookie, cookie);
}

/* The old server gets the other one once more, and the old client its answers. */
static void expect_owed_and_asked_again(uint64_t owed) {
  expect_both_thaw();
  uint64_t other = take_request(SERVER, CLIENT);
  ck_assert(TAILQ_EMPTY(&bus_endpoint(SERVER)->inbox));
  answer(owed, 1);
  receive(CLIENT);
  answer(other, 2);
  ck_assert_uint_eq(bus_endpoint(CLIENT)->calls_in_flight, 0);
}

START_TEST(answers_of_a_failed_member_are_undone) {
  uint64_t owed = both_updated(), other = take_request(SERVER, CLIENT);
  reply(SERVER, owed, 0, 0);
  reply(SERVER, other, 0, 0);
  if (_i) { /* the new client has them, or they wait */
    expect_reply(CLIENT, 1, 0);
    expect_reply(CLIENT, 2, 0);
  }
  expect_owed_and_asked_again(owed);
}
END_TEST

START_TEST(what_a_failed_member_owed_is_owed_by_the_old_one_or_asked_again) {
  uint64_t owed = both_updated();
  if (_i) take_request(SERVER, CLIENT);
  expect_owed_and_asked_again(owed);
}
END_TEST

/* Whichever of them the failed server has had. */
START_TEST(members_ask_again_in_their_order) {
  call(CLIENT, SERVER, 1);
  call(CLIENT, SERVER, 2);
  update_both();
  for (int i = 0; i < _i % 3; i++) {
    uint64_t token = take_request(SERVER, CLIENT);
    if (_i >= 3) reply(SERVER, token, 0, 0);
  }
  expect_both_thaw();
  uint64_t first = take_request(SERVER, CLIENT), second = take_request(SERVER, CLIENT);
  ck_assert(TAILQ_EMPTY(&bus_endpoint(SERVER)->inbox));
  answer(first, 1);
  receive(CLIENT);
  answer(second, 2);
}
END_TEST

static void expect_alarm(endpoint_t id, uint64_t bits) {
  expect_message(id, SYS_KERNEL, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, bits);
}

/* One that was due before the freeze, or was not; the failed version was told of it. */
START_TEST(alarms_come_once) {
  struct endpoint *e = bus_endpoint(CLIENT);
  ck_assert_int_eq(alarm_set(e, 3, 1), 0);
  freeze(CLIENT);
  if (_i == 0) alarm_expire(e, 2);
  commit(CLIENT);
  begin_probation(CLIENT);
  if (_i == 1) alarm_expire(e, 2);
  receive(CLIENT);
  expect_alarm(CLIENT, 1u << 3);
  take_back(CLIENT);
  expect_thaw(CLIENT);
  receive(CLIENT);
  alarm_expire(e, 2);
  expect_alarm(CLIENT, 1u << 3);
  expect_nothing(CLIENT);
}
END_TEST

START_TEST(calls_of_the_failed_version_are_forgotten) {
  freeze(CLIENT);
  commit(CLIENT);
  begin_probation(CLIENT);
  call(CLIENT, SERVER, 3);
  uint64_t token = take_request(SERVER, CLIENT);
  call(CLIENT, SERVER, 4);
  take_back(CLIENT);
  expect_thaw(CLIENT);
  expect_nothing(CLIENT);
  ck_assert(TAILQ_EMPTY(&bus_endpoint(SERVER)->inbox));
  reply(SERVER, token, 0, BUS_ACK);
  expect_answer(SERVER, -ESTALE);
  ck_assert_uint_eq(bus_endpoint(CLIENT)->calls_in_flight, 0);
}
END_TEST

int main(void) {
  Suite *s = suite_create("probation");
  TCase *t = tcase_create("probation");
  tcase_add_checked_fixture(t, setup, test_bus_teardown);
  tcase_add_loop_test(t, answers_that_waited_come_again_in_their_order, 0, 3);
  tcase_add_test(t, what_is_lost_comes_before_what_was_answered_later);
  tcase_add_loop_test(t, answers_of_a_failed_member_are_undone, 0, 2);
  tcase_add_loop_test(t, what_a_failed_member_owed_is_owed_by_the_old_one_or_asked_again, 0, 2);
  tcase_add_loop_test(t, members_ask_again_in_their_order, 0, 6);
  tcase_add_loop_test(t, alarms_come_once, 0, 2);
  tcase_add_test(t, calls_of_the_failed_version_are_forgotten);
  suite_add_tcase(s, t);
  return test_run(s);
}
