/* What becomes of requests, answers and news when a component dies. */
#include <check.h>
#include <errno.h>
#include <unistd.h>

#include "bus/test-bus.h"
#include "bus/test-run.h"

/* As when the loader has reported the death, without a restart. */
static void die(endpoint_t id, int error) {
  struct endpoint *e = bus_endpoint(id);
  e->state = ENDPOINT_DEAD;
  version_free(e->live);
  e->live = NULL;
  endpoint_forget(e);
  endpoint_fail_requests(e, error);
}

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

START_TEST(call_to_the_dead) {
  die(SERVER, 0);
  call(CLIENT, SERVER, 9);
  receive(CLIENT);
  expect_message(CLIENT, SERVER, ASK | SYS_REPLY_FLAG);
  ck_assert_int_eq(in.d.m.status, -SYS_EDEADSRCDST);
  ck_assert_uint_eq(in.d.m.cookie, 9);
}
END_TEST

START_TEST(token_of_a_former_life_is_stale) {
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, ASK);
  uint64_t token = in.d.m.token;
  die(CLIENT, -SYS_ERESTARTED);
  struct endpoint *e = bus_endpoint(CLIENT);
  e->live = serve(CLIENT);
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
  e->live = serve(id);
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

int main(void) {
  Suite *s = suite_create("death");
  TCase *t = tcase_create("death");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_test(t, death_of_the_callee);
  tcase_add_test(t, death_of_a_queued_caller);
  tcase_add_test(t, call_to_the_dead);
  tcase_add_test(t, token_of_a_former_life_is_stale);
  tcase_add_test(t, news_of_a_restart_comes_after_answers_of_the_former_life);
  tcase_add_test(t, only_what_was_being_handled_is_lost);
  tcase_add_test(t, all_of_a_nested_wait_is_being_handled);
  tcase_add_test(t, what_it_asked_is_lost);
  tcase_add_test(t, an_answer_that_was_being_handled_is_lost);
  tcase_add_test(t, what_it_was_told_is_told_again);
  suite_add_tcase(s, t);
  return test_run(s);
}
