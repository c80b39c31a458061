/* Interface filters: what is an expression, what it says of a message, and what it lets through. */
#include <check.h>
#include <errno.h>

#include "bus/test-bus.h"
#include "bus/test-run.h"

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

int main(void) {
  Suite *s = suite_create("interface");
  TCase *t = tcase_create("interface");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_test(t, interface_filter_that_is_no_expression);
  tcase_add_test(t, interface_filter_evaluates);
  tcase_add_test(t, interface_filter_decides_what_converging_takes);
  suite_add_tcase(s, t);
  return test_run(s);
}
