/* What a new busd looks at before it takes over: its tables, and itself. */
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/packet.h"
#include "bus/selftest.h"
#include "bus/tables.h"
#include "bus/test-run.h"

enum { SERVER = 1, CLIENT = 2 };

static struct manifest_call calls[] = {{"server", 0}};
static struct manifest_component components[] = {
    {.name = "server", .calls_max = 2},
    {.name = "client", .calls = calls, .calls_count = 1, .calls_max = 2},
};
static struct manifest manifest = {.components = components, .components_count = 2};
static char why[512];

/* The server is busy; the client has a call in its inbox, and an answer that waits. */
static void setup(void) {
  const msg_t m = {.type = 0x900};
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", "/nonexistent"), 0);
  bus.state = BUS_RUNNING;
  for (endpoint_t id = SERVER; id <= CLIENT; id++) {
    int pair[2];
    struct endpoint *e = bus_endpoint(id);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    e->live = version_new(e, SYS_START_FRESH, open("/dev/null", O_RDONLY));
    e->live->channel = pair[0];
    e->live->state = VERSION_BUSY;
    e->state = ENDPOINT_RUNNING;
    ck_assert_int_eq(loop_add(pair[0], LOOP_READ, false, packet_ready, e->live), 0);
  }
  endpoint_call(bus_endpoint(CLIENT), SERVER, &m, NULL, 1);
  endpoint_call(bus_endpoint(CLIENT), 99, &m, NULL, 2); /* answered with an error */
}

static void expect(const char *contradiction) {
  ck_assert_int_lt(tables_check(why, sizeof(why)), 0);
  ck_assert_msg(strstr(why, contradiction), "'%s' does not say '%s'", why, contradiction);
}

START_TEST(sound) {
  ck_assert_msg(tables_check(why, sizeof(why)) == 0, "%s", why);
}
END_TEST

static void move_endpoint(void) {
  bus_endpoint(CLIENT)->id = SERVER;
}

static void change_component(void) {
  bus_endpoint(SERVER)->component = &components[1];
}

static void lose_version(void) {
  bus_endpoint(SERVER)->live = NULL;
}

static void swap_versions(void) {
  bus_endpoint(SERVER)->live = bus_endpoint(CLIENT)->live;
}

static void unlist_version(void) {
  LIST_REMOVE(bus_endpoint(SERVER)->live, link);
}

static void stop_listening(void) {
  loop_forget(bus_endpoint(SERVER)->live->channel);
}

static void hold_in_part(void) {
  bus_endpoint(SERVER)->held_since_us = 1;
}

static void wait_for_nothing(void) {
  bus_endpoint(CLIENT)->live->state = VERSION_CALLING;
}

static void change_slot(void) {
  bus_endpoint(CLIENT)->requests[1].slot = 2;
}

static void change_caller(void) {
  bus_endpoint(CLIENT)->requests[1].caller = SERVER;
}

static void unqueue(void) {
  struct request *r = &bus_endpoint(CLIENT)->requests[1];
  TAILQ_REMOVE(&bus_endpoint(SERVER)->inbox, r, link);
}

static void answer_twice(void) {
  bus_endpoint(CLIENT)->requests[2].state = REQUEST_DELIVERED;
}

static void change_token(void) {
  bus_endpoint(CLIENT)->requests[1].m.token++;
}

static void miscount(void) {
  bus_endpoint(CLIENT)->calls_in_flight--;
}

static void forget_bits(void) {
  bus_endpoint(SERVER)->notified = 1ull << CLIENT;
}

static void disarm(void) {
  bus_endpoint(SERVER)->watches.by_bit[3] =
      (struct watch){.state = WATCH_ARMED, .number = 9, .fd = 200};
}

static const struct {
  void (*damage)(void);
  const char *says;
} damages[] = {
    {move_endpoint, "endpoint 1: stands at place 2"},
    {change_component, "is another component"},
    {lose_version, "is running, and lacks a version"},
    {swap_versions, "its live version serves another one"},
    {unlist_version, "its live version is not listed"},
    {stop_listening, "its live version is not listened to"},
    {hold_in_part, "is held in one table only"},
    {wait_for_nothing, "waits for no request"},
    {change_slot, "request 1 has slot 2"},
    {change_caller, "request 1 is of caller 1"},
    {unqueue, "request 1 is in a queue that it is not in by its state"},
    {answer_twice, "request 2 is"},
    {change_token, "request 1 has the token of another one"},
    {miscount, "2 calls in flight, but 1 are counted"},
    {forget_bits, "bits of endpoint 2 are pending in one table only"},
    {disarm, "its watch 3 is armed in one table only"},
};

START_TEST(damaged) {
  damages[_i].damage();
  expect(damages[_i].says);
}
END_TEST

START_TEST(self_test_leaves_nothing) {
  bus_deinit();
  loop_deinit();
  int before = open("/dev/null", O_RDONLY);
  close(before);
  ck_assert_msg(selftest_run(why, sizeof(why)) == 0, "%s", why);
  int after = open("/dev/null", O_RDONLY);
  ck_assert_int_eq(after, before);
  ck_assert_uint_eq(bus.nendpoints, 0);
}
END_TEST

int main(void) {
  Suite *s = suite_create("tables");
  TCase *t = tcase_create("all");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, sound);
  tcase_add_loop_test(t, damaged, 0, (int)(sizeof(damages) / sizeof(damages[0])));
  tcase_add_test(t, self_test_leaves_nothing);
  suite_add_tcase(s, t);
  return test_run(s);
}
