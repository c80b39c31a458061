/* The driver against the device model, played by a network server. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus.h"
#include "drivers-sim/82540em.h"
#include "drivers-sim/test-component.h"

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static struct dq_ring *queue(enum nic_ring_index which) {
  return nic_ring(bus.frames, which);
}

static uint32_t buffer(uint32_t i) {
  return NIC_BUFFERS_OFFSET + i * NIC_BUFFER_BYTES;
}

static int32_t start_server(void) {
  return bus_request((msg_t){.type = NIC_START});
}

static void setup(void) {
  static char *argv[] = {"e1000", "nic0", NULL};
  bus_setup();
  component_start(2, argv);
  ck_assert_int_eq(start_server(), 0);
}

/* After anything was pushed or popped. */
static void tell_driver(void) {
  if (dq_must_notify_consumer(queue(NIC_RING_TX))) bus.queue_bits |= NIC_TO_DRIVER;
  if (dq_must_notify_consumer(queue(NIC_RING_RX_FREE))) bus.queue_bits |= NIC_TO_DRIVER;
  if (dq_must_notify_producer(queue(NIC_RING_TX_DONE))) bus.queue_bits |= NIC_TO_DRIVER;
  if (dq_must_notify_producer(queue(NIC_RING_RX))) bus.queue_bits |= NIC_TO_DRIVER;
}

static void send_buffer(uint32_t i, uint32_t bytes, uint8_t fill) {
  memset(bus.frames + buffer(i), fill, bytes);
  ck_assert(dq_push(queue(NIC_RING_TX), (struct dq_desc){buffer(i), bytes, 1000 + i}));
}

static void give_buffers(uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    ck_assert(dq_push(queue(NIC_RING_RX_FREE), (struct dq_desc){buffer(NIC_TX_BUFFERS + i), 0, i}));
  tell_driver();
}

/* A whole frame, if one is there: the device may have sent only a part so far. */
static bool peer_receive(uint8_t *frame, uint32_t *bytes) {
  uint8_t p[4];
  int there;
  if (recv(bus.peer, p, 4, MSG_DONTWAIT | MSG_PEEK) != 4) return false;
  *bytes = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
  ck_assert_uint_le(*bytes, 1514);
  ck_assert_int_eq(ioctl(bus.peer, FIONREAD, &there), 0);
  if ((uint32_t)there < 4 + *bytes) return false;
  ck_assert_int_eq(recv(bus.peer, p, 4, 0), 4);
  ck_assert_int_eq(recv(bus.peer, frame, *bytes, 0), *bytes);
  return true;
}

static bool peer_send(uint32_t bytes, uint32_t number) {
  uint8_t data[4 + 1514] = {bytes >> 24, bytes >> 16, bytes >> 8, bytes};
  memcpy(data + 4, mac, 6);
  memcpy(data + 4 + 14, &number, 4);
  ssize_t n = send(bus.peer, data, bytes + 4, MSG_DONTWAIT);
  ck_assert(n < 0 || n == bytes + 4);
  return n > 0;
}

START_TEST(starting_tells_address_and_link) {
  ck_assert_mem_eq(&IPC_REPLY(&bus.reply, nic_start)->mac, mac, 6);
  ck_assert_uint_eq(IPC_REPLY(&bus.reply, nic_start)->mtu, 1500);
  ck_assert_uint_eq(IPC_REPLY(&bus.reply, nic_start)->link, 1);
}
END_TEST

START_TEST(a_frame_goes_out_and_its_buffer_comes_back) {
  uint8_t frame[1514];
  uint32_t bytes;
  struct dq_desc d;
  dq_want_items(queue(NIC_RING_TX_DONE));
  send_buffer(3, 100, 0x33);
  tell_driver();
  ck_assert_uint_eq(bus.queue_bits, NIC_TO_DRIVER);
  bus_settle();
  ck_assert(peer_receive(frame, &bytes));
  ck_assert_uint_eq(bytes, 100);
  ck_assert_uint_eq(frame[99], 0x33);
  ck_assert(bus_take_server_bits() & NIC_TO_SERVER_TX);
  ck_assert(dq_pop(queue(NIC_RING_TX_DONE), &d));
  ck_assert_uint_eq(d.offset, buffer(3));
  ck_assert_uint_eq(d.cookie, 1003);
}
END_TEST

START_TEST(a_frame_comes_in_with_its_cookie) {
  struct dq_desc d;
  give_buffers(10);
  dq_want_items(queue(NIC_RING_RX));
  bus_settle();
  ck_assert(peer_send(200, 7));
  bus_settle();
  ck_assert(bus_take_server_bits() & NIC_TO_SERVER_RX);
  ck_assert(dq_pop(queue(NIC_RING_RX), &d));
  ck_assert_uint_eq(d.length, 200);
  ck_assert_uint_eq(d.cookie, 0);
  ck_assert_uint_eq(d.offset, buffer(NIC_TX_BUFFERS));
  ck_assert_mem_eq(bus.frames + d.offset, mac, 6);
  ck_assert(!dq_pop(queue(NIC_RING_RX), &d));
}
END_TEST

START_TEST(a_server_that_does_not_wait_is_not_notified) {
  give_buffers(10);
  bus_settle();
  bus_take_server_bits();
  for (int i = 0; i < 5; i++)
    ck_assert(peer_send(100, i));
  send_buffer(0, 100, 1);
  tell_driver();
  bus_settle();
  ck_assert_uint_eq(dq_count(queue(NIC_RING_RX)), 5);
  ck_assert_uint_eq(dq_count(queue(NIC_RING_TX_DONE)), 1);
  ck_assert_uint_eq(bus_take_server_bits(), 0);
}
END_TEST

START_TEST(buffers_outside_the_region_do_no_harm) {
  static const struct dq_desc bad[] = {
      {0, 100, 1},
      {NIC_BUFFERS_OFFSET - 1, 100, 2},
      {NIC_FRAMES_BYTES - 99, 100, 3},
      {UINT32_MAX, 100, 4},
      {NIC_BUFFERS_OFFSET, 13, 5},
      {NIC_BUFFERS_OFFSET, 1515, 6},
      {NIC_BUFFERS_OFFSET, UINT32_MAX, 7},
  };
  struct dq_desc d;
  uint8_t frame[1514];
  uint32_t bytes;
  for (uint32_t i = 0; i < 7; i++)
    dq_push(queue(NIC_RING_TX), bad[i]);
  dq_push(queue(NIC_RING_RX_FREE), (struct dq_desc){0, 0, 1});
  dq_push(queue(NIC_RING_RX_FREE), (struct dq_desc){NIC_FRAMES_BYTES - 2047, 0, 1});
  tell_driver();
  bus_settle();
  for (uint32_t i = 0; i < 7; i++) {
    ck_assert(dq_pop(queue(NIC_RING_TX_DONE), &d));
    ck_assert_uint_eq(d.cookie, bad[i].cookie);
  }
  ck_assert(!peer_receive(frame, &bytes));
  ck_assert(!device_wants_read(&bus.device)); /* it got no buffer */
}
END_TEST

/* A load in both directions in which everybody runs only when told to: a wake-up that is missing
 * shows as frames that never arrive. */
struct load {
  uint64_t seed;
  uint32_t sent, done, arrived; /* by the server; given back; at the peer */
  uint32_t peer_sent, received;
  bool server_runs;
};

static uint32_t draw(struct load *l, uint32_t below) {
  l->seed = l->seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(l->seed >> 33) % below;
}

enum { LOAD_FRAMES = 3000 };

static void server_turn(struct load *l) {
  struct dq_desc d;
  bool moved = false;
  do {
    for (; dq_pop(queue(NIC_RING_TX_DONE), &d); moved = true)
      l->done++;
    while (dq_pop(queue(NIC_RING_RX), &d)) {
      uint32_t number;
      moved = true;
      memcpy(&number, bus.frames + d.offset + 14, 4);
      ck_assert_uint_eq(number, l->received++);
      ck_assert(dq_push(queue(NIC_RING_RX_FREE), (struct dq_desc){d.offset, 0, d.cookie}));
    }
    for (uint32_t burst = draw(l, 300); burst > 0; burst--) {
      if (l->sent == LOAD_FRAMES || l->sent - l->done == NIC_TX_BUFFERS) break;
      uint32_t at = buffer(l->sent % NIC_TX_BUFFERS);
      memcpy(bus.frames + at + 14, &l->sent, 4);
      ck_assert(dq_push(queue(NIC_RING_TX), (struct dq_desc){at, 60 + l->sent % 1400, 0}));
      l->sent++;
      moved = true;
    }
    if (moved) tell_driver();
    l->server_runs = l->sent < LOAD_FRAMES && l->sent - l->done < NIC_TX_BUFFERS;
  } while (dq_want_items(queue(NIC_RING_TX_DONE)) || dq_want_items(queue(NIC_RING_RX)));
}

static bool peer_turn(struct load *l) {
  uint8_t frame[1514];
  uint32_t bytes, number;
  bool ran = false;
  for (uint32_t n = 1 + draw(l, 40); n > 0 && peer_receive(frame, &bytes); n--) {
    memcpy(&number, frame + 14, 4);
    ck_assert_uint_eq(number, l->arrived);
    ck_assert_uint_eq(bytes, 60 + number % 1400);
    l->arrived++;
    ran = true;
  }
  for (uint32_t n = draw(l, 400); n > 0 && l->peer_sent < LOAD_FRAMES; n--) {
    if (!peer_send(60 + l->peer_sent % 1400, l->peer_sent)) break;
    l->peer_sent++;
    ran = true;
  }
  return ran;
}

static void run_load(uint64_t seed) {
  struct load l = {.seed = seed, .server_runs = true};
  give_buffers(NIC_RX_BUFFERS - 1);
  for (int idle = 0; idle < 64;) {
    bool ran = false;
    switch (draw(&l, 4)) {
    case 0:
      ran = bus_run_model();
      break;
    case 1:
      ran = bus_run_driver();
      break;
    case 2:
      ran = bus_take_server_bits() || l.server_runs;
      if (ran) server_turn(&l);
      break;
    default:
      ran = peer_turn(&l);
    }
    idle = ran ? 0 : idle + 1;
  }
  ck_assert_uint_eq(l.sent, LOAD_FRAMES);
  ck_assert_uint_eq(l.arrived, LOAD_FRAMES);
  ck_assert_uint_eq(l.done, LOAD_FRAMES);
  ck_assert_uint_eq(l.received, LOAD_FRAMES);
}

START_TEST(no_wakeup_is_missing) {
  run_load(_i);
}
END_TEST

START_TEST(tracing_registers_changes_nothing_else) {
  static char *argv[] = {"e1000", "nic0", "e1000-model", "trace-registers", NULL};
  bus_teardown();
  bus_setup();
  component_start(4, argv);
  ck_assert_int_eq(start_server(), 0);
  unsigned before = bus.device_calls;
  run_load(77);
  ck_assert_uint_gt(bus.device_calls, before + 100);
}
END_TEST

static int32_t multicast(const uint8_t *group, uint32_t join) {
  msg_t m = {.type = NIC_MULTICAST};
  memcpy(&IPC(&m, nic_multicast)->mac, group, 6);
  IPC(&m, nic_multicast)->join = join;
  return bus_request(m);
}

static uint32_t table_bits(void) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < E1000_MTA_WORDS; i++)
    bits += __builtin_popcount(bus.bar[E1000_MTA / 4 + i]);
  return bits;
}

START_TEST(multicast_groups_are_counted) {
  uint8_t group[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0xFB}, other[6] = {0x33, 0x33, 0, 0, 0x12, 1};
  uint8_t unicast[6] = {0x52};
  ck_assert_int_eq(multicast(unicast, 1), -EINVAL);
  ck_assert_int_eq(multicast(group, 0), -ENOENT);
  ck_assert_int_eq(multicast(group, 1), 0);
  ck_assert_int_eq(multicast(group, 1), 0);
  ck_assert_int_eq(multicast(other, 1), 0);
  ck_assert_uint_eq(table_bits(), 2);
  ck_assert_int_eq(multicast(group, 0), 0);
  ck_assert_uint_eq(table_bits(), 2);
  ck_assert_int_eq(multicast(group, 0), 0);
  ck_assert_uint_eq(table_bits(), 1);
}
END_TEST

START_TEST(a_server_that_died_gets_nothing_written) {
  struct dq_desc d;
  give_buffers(10);
  bus_settle();
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {SERVER}});
  memset(bus.frames + NIC_BUFFERS_OFFSET, 0xEE, NIC_FRAMES_BYTES - NIC_BUFFERS_OFFSET);
  peer_send(100, 1);
  bus_settle();
  for (uint32_t i = NIC_BUFFERS_OFFSET; i < NIC_FRAMES_BYTES; i++)
    ck_assert_uint_eq((uint8_t)bus.frames[i], 0xEE);

  ck_assert_int_eq(start_server(), 0);
  give_buffers(10);
  dq_want_items(queue(NIC_RING_RX));
  bus_settle();
  ck_assert(dq_pop(queue(NIC_RING_RX), &d)); /* the frame waited on the wire */
  ck_assert_uint_eq(d.length, 100);
}
END_TEST

START_TEST(a_device_that_restarts_goes_on) {
  struct dq_desc d;
  uint32_t bytes, n = 0;
  uint8_t frame[1514];
  give_buffers(20);
  bus_settle();
  bus.device_dead = true;
  for (uint32_t i = 0; i < 10; i++)
    send_buffer(i, 100, i);
  tell_driver();
  bus_run_driver();
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {MODEL}});
  ck_assert_int_eq(bus_request((msg_t){.type = NIC_INFO}), 0);
  bus_restart_device();
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {MODEL}});
  bus_settle();
  ck_assert(bus_take_server_bits() & NIC_TO_SERVER_TX);
  while (dq_pop(queue(NIC_RING_TX_DONE), &d))
    n++;
  ck_assert_uint_eq(n, 10); /* lost or sent: the server has them back */
  while (peer_receive(frame, &bytes))
    continue;

  send_buffer(0, 99, 9);
  tell_driver();
  for (int i = 0; i < 20; i++)
    ck_assert(peer_send(100, i));
  bus_settle();
  ck_assert(peer_receive(frame, &bytes));
  ck_assert_uint_eq(bytes, 99);
  ck_assert_uint_eq(dq_count(queue(NIC_RING_RX)), 20);
}
END_TEST

START_TEST(a_server_may_start_while_the_device_is_dead) {
  struct dq_desc d;
  bus.device_dead = true;
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {MODEL}});
  ck_assert_int_eq(start_server(), 0);
  ck_assert_uint_eq(IPC_REPLY(&bus.reply, nic_start)->link, 0);
  give_buffers(10);
  send_buffer(0, 99, 9);
  tell_driver();
  bus.queue_bits |= NIC_TO_DRIVER;
  bus_run_driver();
  bus_restart_device();
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {MODEL}});
  ck_assert(bus_take_server_bits() & NIC_TO_SERVER_LINK);
  ck_assert(peer_send(100, 1));
  bus_settle();
  ck_assert(dq_pop(queue(NIC_RING_TX_DONE), &d));
  ck_assert(dq_pop(queue(NIC_RING_RX), &d));
}
END_TEST

START_TEST(a_lost_link_is_told) {
  give_buffers(1);
  bus_settle();
  bus_take_server_bits();
  close(bus.peer);
  bus.peer = -1;
  bus_settle();
  ck_assert(bus_take_server_bits() & NIC_TO_SERVER_LINK);
  ck_assert_int_eq(bus_request((msg_t){.type = NIC_INFO}), 0);
  ck_assert_uint_eq(IPC_REPLY(&bus.reply, nic_info)->link, 0);
}
END_TEST

START_TEST(unknown_requests_are_refused) {
  ck_assert_int_eq(bus_request((msg_t){.type = 0x7FF}), -ENOSYS);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("driver");
  tcase_add_checked_fixture(c, setup, bus_teardown);
  tcase_set_timeout(c, 20);
  tcase_add_test(c, starting_tells_address_and_link);
  tcase_add_test(c, a_frame_goes_out_and_its_buffer_comes_back);
  tcase_add_test(c, a_frame_comes_in_with_its_cookie);
  tcase_add_test(c, a_server_that_does_not_wait_is_not_notified);
  tcase_add_test(c, buffers_outside_the_region_do_no_harm);
  tcase_add_loop_test(c, no_wakeup_is_missing, 1, 21);
  tcase_add_test(c, tracing_registers_changes_nothing_else);
  tcase_add_test(c, multicast_groups_are_counted);
  tcase_add_test(c, a_server_that_died_gets_nothing_written);
  tcase_add_test(c, a_device_that_restarts_goes_on);
  tcase_add_test(c, a_server_may_start_while_the_device_is_dead);
  tcase_add_test(c, a_lost_link_is_told);
  tcase_add_test(c, unknown_requests_are_refused);
  Suite *suite = suite_create("e1000");
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
