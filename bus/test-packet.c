/* Packets that no libsys sends: whoever sends one is killed. */
#include <check.h>
#include <sys/socket.h>

#include "bus/packet.h"
#include "bus/test-bus.h"
#include "bus/test-run.h"

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

int main(void) {
  Suite *s = suite_create("packet");
  TCase *t = tcase_create("packet");
  tcase_add_checked_fixture(t, test_bus_setup, test_bus_teardown);
  tcase_add_loop_test(t, garbage, 0, 10);
  suite_add_tcase(s, t);
  return test_run(s);
}
