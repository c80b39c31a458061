/* Priorities, preemption and placement, on the bus of test-bus.h: the client calls the server,
 * other calls both; the stranger is the scheduler. */
#include <check.h>
#include <errno.h>
#include <unistd.h>

#include "bus/abi.h"
#include "bus/loop.h"
#include "bus/order.h"
#include "bus/process_time.h"
#include "bus/schedule.h"
#include "bus/test-bus.h"
#include "bus/test-run.h"

enum { HIGH = BUS_PRIORITY_MAX, LOW = 0 };

static struct endpoint *server, *client, *other;

static void setup(void) {
  test_bus_setup();
  server = bus_endpoint(SERVER);
  client = bus_endpoint(CLIENT);
  other = bus_endpoint(OTHER);
  bus.cpus = 3;
  test_components[STRANGER - 1].kernel = MANIFEST_KERNEL_SCHEDULE;
}

static void teardown(void) {
  order_end();
  test_components[STRANGER - 1].kernel = 0;
  test_bus_teardown();
}

/* What the loop does when all that was ready has been called. */
static void turn(void) {
  loop_once(false);
}

/* ---- order ---- */

START_TEST(without_priorities_all_is_delivered_at_once) {
  receive(SERVER);
  notify(CLIENT, SERVER, 1);
  expect_message(SERVER, CLIENT, SYS_NOTIFIED);
}
END_TEST

START_TEST(with_priorities_deliveries_wait_for_the_end_of_the_turn) {
  schedule_set_priority(CLIENT, 1, HIGH);
  receive(SERVER);
  sendrec(CLIENT, SERVER, 7);
  ck_assert(!got(SERVER));
  turn();
  expect_message(SERVER, CLIENT, ASK);
  ck_assert_uint_eq(in.d.m.u32[0], 7);
  reply(SERVER, in.d.m.token, 8, 0);
  expect_answer(CLIENT, 0); /* nobody else waits for that */
  turn();
  ck_assert(!got(SERVER)); /* one packet for each receive */
}
END_TEST

START_TEST(the_highest_priority_is_delivered_to_first) {
  schedule_set_priority(CLIENT, 1, HIGH);
  receive(SERVER);
  receive(CLIENT);
  /* Over one socket, which keeps their order. */
  close(client->live->channel);
  client->live->channel = dup(server->live->channel);
  notify(OTHER, SERVER, 1);
  notify(OTHER, CLIENT, 2);
  turn();
  expect_message(SERVER, OTHER, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 2);
  expect_message(SERVER, OTHER, SYS_NOTIFIED);
  ck_assert_uint_eq(in.d.m.bits, 1);
}
END_TEST

START_TEST(requests_wait_by_their_callers_priorities) {
  schedule_set_priority(OTHER, 1, HIGH);
  sendrec(CLIENT, SERVER, 1);
  sendrec(OTHER, SERVER, 2);
  receive(SERVER);
  turn();
  expect_message(SERVER, OTHER, ASK);
  receive(SERVER);
  turn();
  expect_message(SERVER, CLIENT, ASK);
}
END_TEST

START_TEST(a_request_is_overtaken_a_bounded_number_of_times) {
  schedule_set_priority(OTHER, 1, HIGH);
  sendrec(CLIENT, SERVER, 1);
  for (unsigned i = 0; i < ORDER_OVERTAKEN_MAX; i++) {
    sendrec(OTHER, SERVER, 2);
    receive(SERVER);
    turn();
    expect_message(SERVER, OTHER, ASK);
    reply(SERVER, in.d.m.token, 0, 0);
    expect_answer(OTHER, 0);
  }
  sendrec(OTHER, SERVER, 2);
  receive(SERVER);
  turn();
  expect_message(SERVER, CLIENT, ASK);
}
END_TEST

START_TEST(the_end_of_priorities_delivers_what_waits) {
  schedule_set_priority(CLIENT, 1, HIGH);
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  ck_assert(!got(SERVER));
  order_end();
  expect_message(SERVER, CLIENT, ASK);
}
END_TEST

/* ---- stop ---- */

START_TEST(a_stopped_one_has_its_deadlines_stopped) {
  receive(SERVER);
  sendrec(OTHER, SERVER, 1); /* 100 ms */
  expect_message(SERVER, OTHER, ASK);
  uint64_t deadline_us = other->requests[0].deadline_us;
  ck_assert_int_eq(schedule_preempt(SERVER, 1, 1000), 0);
  ck_assert(server->stop.reasons == STOP_PREEMPTED);
  ck_assert_uint_eq(endpoint_expire(other, deadline_us + 1), UINT64_MAX);
  ck_assert(!got(OTHER));
  server->stop.since_us -= 50000;
  other->requests[0].since_us -= 50000;
  schedule_preempt(SERVER, 1, 0);
  ck_assert_uint_ge(other->requests[0].deadline_us, deadline_us + 50000);
  ck_assert_uint_eq(server->stop.reasons, 0);
  endpoint_expire(other, other->requests[0].deadline_us);
  expect_answer(OTHER, -ETIMEDOUT);
}
END_TEST

START_TEST(a_stopped_one_owes_no_heartbeat) {
  test_components[SERVER - 1].heartbeat_ms = 100;
  heartbeat_start(server);
  schedule_preempt(SERVER, 1, 1000);
  for (unsigned i = 0; i < 20; i++)
    heartbeat_expire(server, server->heartbeat.at_us);
  ck_assert_int_eq(server->live->state, VERSION_BUSY);
  schedule_preempt(SERVER, 1, 0);
  for (unsigned i = 0; i < 20; i++)
    heartbeat_expire(server, server->heartbeat.at_us);
  expect_killed(SERVER);
  test_components[SERVER - 1].heartbeat_ms = 0;
}
END_TEST

START_TEST(it_runs_when_no_reason_is_left) {
  stop_set(server, STOP_SIGNALLED, true);
  uint64_t since_us = server->stop.since_us;
  ck_assert_int_eq(schedule_preempt(SERVER, 1, 1000), 0);
  schedule_preempt(SERVER, 1, 0);
  ck_assert_uint_eq(server->stop.reasons, STOP_SIGNALLED);
  ck_assert_uint_eq(server->stop.since_us, since_us);
  server->live->pid = getpid();
  uint32_t bytes;
  const struct kern_task *t = schedule_list(&bytes);
  ck_assert_uint_eq(t->flags, BUS_TASK_RUNNING); /* it takes nobody's turn */
  stop_set(server, STOP_SIGNALLED, false);
  ck_assert_uint_eq(server->stop.since_us, 0);
}
END_TEST

START_TEST(whom_the_operator_stops_is_to_blame) {
  test_components[SERVER - 1].heartbeat_ms = 100;
  heartbeat_start(server);
  stop_order(server, true);
  ck_assert_uint_eq(server->stop.since_us, 0);
  schedule_preempt(SERVER, 1, 1000);
  ck_assert_uint_ne(server->stop.since_us, 0);
  schedule_preempt(SERVER, 1, 0);
  ck_assert_uint_eq(server->stop.reasons, STOP_ORDERED);
  ck_assert_uint_eq(server->stop.since_us, 0);
  for (unsigned i = 0; i < 20; i++)
    heartbeat_expire(server, server->heartbeat.at_us);
  expect_killed(SERVER);
  test_components[SERVER - 1].heartbeat_ms = 0;
}
END_TEST

START_TEST(it_goes_on_by_itself) {
  schedule_preempt(SERVER, 1, 10);
  uint64_t until_us = server->schedule.until_us;
  ck_assert_uint_eq(schedule_expire(server, until_us - 1), until_us);
  ck_assert_uint_ne(server->stop.reasons, 0);
  ck_assert_uint_eq(schedule_expire(server, until_us), UINT64_MAX);
  ck_assert_uint_eq(server->stop.reasons, 0);
}
END_TEST

START_TEST(who_is_held_or_has_rights_is_not_stopped) {
  ck_assert_int_eq(schedule_preempt(STRANGER, 1, 10), -EPERM);
  endpoint_hold(server, ENDPOINT_CONVERGING);
  ck_assert_int_eq(schedule_preempt(SERVER, 1, 10), -EBUSY);
  endpoint_release(server);
  ck_assert_int_eq(schedule_preempt(SERVER, 1, 10), 0);
  ck_assert_int_eq(schedule_preempt(SERVER, 2, 10), -ESRCH);
  ck_assert_int_eq(schedule_preempt(99, 1, 10), -ESRCH);
  ck_assert_int_eq(schedule_preempt(SERVER, 1, BUS_PREEMPT_MS_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(all_ends_with_the_scheduler) {
  ck_assert_int_eq(schedule_preempt(SERVER, 1, 1000), 0);
  ck_assert_int_eq(schedule_set_priority(CLIENT, 1, LOW), 0);
  ck_assert_int_eq(schedule_place(OTHER, 1, 1), 0);
  ck_assert_uint_eq(schedule_cpus(other), 1);
  ck_assert(schedule_gives_way(client));
  schedule_exited(client); /* that was not the scheduler */
  ck_assert_uint_ne(server->stop.reasons, 0);
  schedule_exited(bus_endpoint(STRANGER));
  ck_assert_uint_eq(server->stop.reasons, 0);
  ck_assert_uint_eq(schedule_priority(client), BUS_PRIORITY_DEFAULT);
  ck_assert_uint_ne(schedule_cpus(other), 1);
  ck_assert(!order_waits());
}
END_TEST

START_TEST(a_life_takes_its_settings_along) {
  schedule_set_priority(SERVER, 1, LOW);
  schedule_preempt(SERVER, 1, 1000);
  schedule_forget(server);
  ck_assert_uint_eq(schedule_priority(server), BUS_PRIORITY_DEFAULT);
  ck_assert_uint_eq(server->stop.reasons, 0);
  ck_assert_uint_eq(server->stop.since_us, 0);
}
END_TEST

/* ---- what is refused, and shown ---- */

static int kernel(endpoint_t id, msg_t m) {
  struct bus_op op = {.code = BUS_OP_SENDREC, .m = m};
  send_ops(id, &op, 1, NULL);
  expect_answer(id, 0);
  return in.d.m.status;
}

START_TEST(it_takes_the_right) {
  for (uint32_t type = KERN_TASKS; type <= KERN_PLACE; type++)
    ck_assert_int_eq(kernel(CLIENT, (msg_t){.type = type, .u32 = {SERVER, 1}}), -EPERM);
  ck_assert_int_eq(kernel(STRANGER, (msg_t){.type = KERN_PRIORITY, .u32 = {SERVER, 1, 8}}),
                   -EINVAL);
  ck_assert_int_eq(kernel(STRANGER, (msg_t){.type = KERN_PRIORITY, .u32 = {SERVER, 2, 1}}), -ESRCH);
  ck_assert_int_eq(kernel(STRANGER, (msg_t){.type = KERN_PLACE, .u64 = {SERVER | 1ull << 32, 4}}),
                   -EINVAL);
  ck_assert_int_eq(kernel(STRANGER, (msg_t){.type = KERN_PREEMPT, .u32 = {SERVER, 1, 100}}), 0);
  ck_assert_uint_ne(server->stop.reasons, 0);
}
END_TEST

START_TEST(what_runs_is_listed) {
  for (endpoint_t id = 1; id <= 4; id++)
    bus_endpoint(id)->live->pid = getpid();
  while (!process_time_us(getpid())) /* it has just been forked */
    ;
  receive(SERVER);
  sendrec(CLIENT, SERVER, 1);
  ck_assert_int_eq(kernel(STRANGER, (msg_t){.type = KERN_TASKS}), 0);
  const struct kern_task *t = (const void *)in.payload;
  ck_assert_uint_eq(in.d.m.payload, 4 * sizeof(*t));
  ck_assert_str_eq(t[SERVER - 1].name, "server");
  ck_assert_uint_eq(t[SERVER - 1].flags, BUS_TASK_RUNNING | BUS_TASK_BUSY | BUS_TASK_WANTED);
  ck_assert_uint_eq(t[CLIENT - 1].flags, BUS_TASK_RUNNING);
  ck_assert_uint_eq(t[OTHER - 1].flags, BUS_TASK_RUNNING | BUS_TASK_BUSY);
  ck_assert(t[STRANGER - 1].flags & BUS_TASK_SYSTEM);
  ck_assert_uint_gt(t[SERVER - 1].cpu_us, 0);
  ck_assert_uint_eq(t[SERVER - 1].priority, BUS_PRIORITY_DEFAULT);
}
END_TEST

int main(void) {
  Suite *s = suite_create("schedule");
  TCase *t = tcase_create("schedule");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, without_priorities_all_is_delivered_at_once);
  tcase_add_test(t, with_priorities_deliveries_wait_for_the_end_of_the_turn);
  tcase_add_test(t, the_highest_priority_is_delivered_to_first);
  tcase_add_test(t, requests_wait_by_their_callers_priorities);
  tcase_add_test(t, a_request_is_overtaken_a_bounded_number_of_times);
  tcase_add_test(t, the_end_of_priorities_delivers_what_waits);
  tcase_add_test(t, a_stopped_one_has_its_deadlines_stopped);
  tcase_add_test(t, a_stopped_one_owes_no_heartbeat);
  tcase_add_test(t, it_runs_when_no_reason_is_left);
  tcase_add_test(t, whom_the_operator_stops_is_to_blame);
  tcase_add_test(t, it_goes_on_by_itself);
  tcase_add_test(t, who_is_held_or_has_rights_is_not_stopped);
  tcase_add_test(t, all_ends_with_the_scheduler);
  tcase_add_test(t, a_life_takes_its_settings_along);
  tcase_add_test(t, it_takes_the_right);
  tcase_add_test(t, what_runs_is_listed);
  suite_add_tcase(s, t);
  return test_run(s);
}
