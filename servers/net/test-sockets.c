/* The socket interface on the real lwIP, without a bus. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/area.h"
#include "libsys/if/io.h"
#include "libsys/if/nic.h"
#include "libsys/if/sock.h"
#include "libsys/sys.h"
#include "servers/lent/lent.h"
#include "servers/net/connection.h"
#include "servers/net/inbox.h"
#include "servers/net/nic.h"
#include "servers/net/requests.h"
#include "servers/net/share.h"
#include "servers/net/stack.h"
#include "servers/net/test-system.h"
#include "servers/net/turn.h"

START_TEST(bytes_arrive_in_both_directions) {
  connect_both();
  ck_assert_int_eq(receive(SERVER, server), -EAGAIN);
  ck_assert_int_eq(ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), "hello", 5), 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_send)->taken, 5);
  pass(20);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 5);
  ck_assert(memcmp(payload, "hello", 5) == 0);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_SEND, server, 0, 0), "bye", 3), 0);
  pass(20);
  ck_assert_int_eq(receive(CLIENT, client), 0);
  ck_assert_uint_eq(reply.payload, 3);
}
END_TEST

START_TEST(handles_belong_to_their_owner) {
  connect_both();
  ck_assert_int_eq(receive(CLIENT, server), -EBADF);
  ck_assert_int_eq(ask(CLIENT, on_handle(SOCK_CLOSE, server, 0, 0), NULL, 0), -EBADF);
  ck_assert_int_eq(receive(SERVER, 0), -EBADF);
  ck_assert_int_eq(receive(SERVER, 99999), -EBADF);
}
END_TEST

START_TEST(wrong_states_are_refused) {
  uint32_t s = make_socket(SERVER);
  ck_assert_int_eq(listen_on(SERVER, s, 1), -EINVAL);
  ck_assert_int_eq(receive(SERVER, s), -ENOTCONN);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_SEND, s, 0, 0), "x", 1), -ENOTCONN);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_ACCEPT, s, 0, 0), NULL, 0), -EINVAL);
  ck_assert_int_eq(bind_to(SERVER, s, PORT), 0);
  ck_assert_int_eq(listen_on(SERVER, s, 1), -EADDRINUSE);
}
END_TEST

START_TEST(waiting_requests_are_answered_later) {
  uint64_t accepting = start(SERVER, on_handle(SOCK_ACCEPT, listener, SOCK_WAIT, 0), NULL, 0);
  ck_assert(!take_answer(accepting));
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_ACCEPT, listener, SOCK_WAIT, 0), NULL, 0), -EBUSY);
  client = make_socket(CLIENT);
  uint64_t connecting = start(CLIENT, to_port(client, SOCK_WAIT, PORT), NULL, 0);
  pass(20);
  ck_assert(take_answer(connecting) && reply.status == 0);
  ck_assert(take_answer(accepting) && reply.status == 0);
  server = IPC_REPLY(&reply, sock_accept)->handle;
  uint64_t reading = start(SERVER, on_handle(SOCK_RECV, server, SOCK_WAIT, 100), NULL, 0);
  ck_assert(!take_answer(reading));
  ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), "x", 1);
  pass(20);
  ck_assert(take_answer(reading) && reply.payload == 1);
}
END_TEST

START_TEST(refused_connection) {
  client = make_socket(CLIENT);
  uint64_t connecting = start(CLIENT, to_port(client, SOCK_WAIT, 81), NULL, 0);
  pass(20);
  ck_assert(take_answer(connecting));
  ck_assert_int_eq(reply.status, -ECONNREFUSED);
}
END_TEST

/* A sender that never stops, and a receiver that does not read: all memory is bounded. */
START_TEST(unread_bytes_stop_the_sender) {
  static char data[SYS_PAYLOAD_MAX];
  connect_both();
  uint64_t sent = 0, received = 0;
  for (unsigned i = 0; i < sizeof data; i++)
    data[i] = (char)(i * 7);
  for (unsigned i = 0; i < 50; i++) {
    if (ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), data + sent % 256, 60000) == 0)
      sent += IPC_REPLY(&reply, sock_send)->taken;
    pass(50);
  }
  ck_assert_uint_ge(sent, 65535);
  ck_assert_uint_le(sent, SEND_BUFFER_BYTES + INBOX_MAX_BYTES);
  for (unsigned i = 0; i < 100 && received < sent; i++) {
    if (receive(SERVER, server) == 0) {
      for (unsigned k = 0; k < reply.payload; k++)
        ck_assert(payload[k] == (char)((received + k) * 7));
      received += reply.payload;
    }
    pass(50);
  }
  ck_assert_uint_eq(received, sent);
}
END_TEST

START_TEST(room_is_told_once_there_is_some) {
  static char data[SYS_PAYLOAD_MAX];
  struct sock_event e;
  connect_both();
  do {
    ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), data, 65536);
    pass(50);
  } while (reply.status == 0);
  ask(CLIENT, on_handle(SOCK_POLL, 0, 8, 0), NULL, 0); /* that it is connected, and the like */
  notified[CLIENT] = 0;
  pass(1000);
  ck_assert_uint_eq(notified[CLIENT], 0);
  for (unsigned i = 0; i < 20 && !notified[CLIENT]; i++) {
    receive(SERVER, server);
    pass(100);
  }
  ck_assert_uint_eq(notified[CLIENT], SOCK_READY);
  msg_t poll = {.type = SOCK_POLL};
  IPC(&poll, sock_poll)->max = 8;
  ck_assert_int_eq(ask(CLIENT, poll, NULL, 0), 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_poll)->count, 1);
  memcpy(&e, payload, sizeof e);
  ck_assert_uint_eq(e.handle, client);
  ck_assert_uint_eq(e.events, SOCK_OUT);
  ck_assert_uint_gt(e.room, 0);
}
END_TEST

static void end_stream(endpoint_t who, uint32_t s) {
  ck_assert_int_eq(ask(who, on_handle(SOCK_SHUTDOWN, s, SOCK_SHUT_WRITE, 0), NULL, 0), 0);
  pass(20);
}

START_TEST(streams_end_one_by_one) {
  connect_both();
  end_stream(CLIENT, client);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 0);
  ck_assert_int_eq(ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), "x", 1), -EPIPE);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_SEND, server, 0, 0), "last", 4), 0);
  pass(20);
  end_stream(SERVER, server);
  ck_assert_int_eq(receive(CLIENT, client), 0);
  ck_assert_uint_eq(reply.payload, 4);
  ck_assert_int_eq(receive(CLIENT, client), 0);
  ck_assert_uint_eq(reply.payload, 0);
  pass(300000); /* lwIP has freed its control blocks by now */
  ck_assert_int_eq(ask(CLIENT, on_handle(SOCK_CLOSE, client, 0, 0), NULL, 0), 0);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_CLOSE, server, 0, 0), NULL, 0), 0);
}
END_TEST

START_TEST(a_dead_owner_resets_its_connections) {
  connect_both();
  uint64_t reading = start(CLIENT, on_handle(SOCK_RECV, client, SOCK_WAIT, 10), NULL, 0);
  requests_drop_owner(SERVER);
  turn_end();
  pass(20);
  ck_assert(take_answer(reading));
  ck_assert_int_eq(reply.status, -ECONNRESET);
  uint32_t s = make_socket(SERVER);
  ck_assert_int_eq(bind_to(SERVER, s, PORT), 0);
  ck_assert_int_eq(listen_on(SERVER, s, 4), 0);
}
END_TEST

START_TEST(closing_answers_who_waits) {
  connect_both();
  uint64_t reading = start(SERVER, on_handle(SOCK_RECV, server, SOCK_WAIT, 10), NULL, 0);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_CLOSE, server, 0, 0), NULL, 0), 0);
  ck_assert(take_answer(reading));
  ck_assert_int_eq(reply.status, -EBADF);
}
END_TEST

/* The gateway, 10.0.2.2, answers net's question for its address. */
static void answer_arp(void) {
  static const uint8_t frame[42] = {0x52, 0x54, 0,    0x12, 0x34, 0x56, 2,  0, 0, 0,
                                    0,    1,    0x08, 0x06,                          /* Ethernet */
                                    0,    1,    8,    0,    6,    4,    0,  2,       /* a reply */
                                    2,    0,    0,    0,    0,    1,    10, 0, 2, 2, /* from */
                                    0x52, 0x54, 0,    0x12, 0x34, 0x56, 10, 0, 2, 15}; /* to */
  struct dq_desc d;
  ck_assert(dq_pop(nic_ring(frames, NIC_RING_RX_FREE), &d));
  memcpy(frames + d.offset, frame, sizeof frame);
  d.length = sizeof frame;
  ck_assert(dq_push(nic_ring(frames, NIC_RING_RX), d));
  turn_end();
}

/* @return how many frames with TCP inside net had queued. */
static unsigned drain_tcp_frames(void) {
  struct dq_desc d;
  unsigned n = 0;
  while (dq_pop(nic_ring(frames, NIC_RING_TX), &d))
    n += frames[d.offset + 12] == 0x08 && frames[d.offset + 13] == 0 && frames[d.offset + 23] == 6;
  return n;
}

START_TEST(a_restarted_driver_gets_at_once_what_was_lost) {
  msg_t m = to_port(make_socket(CLIENT), 0, 9);
  IPC(&m, sock_connect)->address = inet_addr("10.0.2.2");
  ck_assert_int_eq(ask(CLIENT, m, NULL, 0), 0);
  answer_arp();
  ck_assert_uint_eq(drain_tcp_frames(), 1);
  nic_lost();
  ck_assert_int_eq(num_pending_writes, 0);
  ck_assert_int_eq(nic_start(), 0);
  ck_assert_uint_eq(drain_tcp_frames(), 0);
  connection_resend();
  ck_assert_uint_eq(drain_tcp_frames(), 1);
}
END_TEST

static uint64_t dice = 88172645463325252u;

static unsigned roll(unsigned sides) {
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (unsigned)(dice >> 20) % sides;
}

static void put_sum(uint8_t *at, const uint8_t *data, unsigned bytes, uint32_t sum) {
  at[0] = at[1] = 0;
  for (unsigned i = 0; i < bytes; i++)
    sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  at[0] = (uint8_t)(~sum >> 8);
  at[1] = (uint8_t)~sum;
}

/* A frame that is wrong in some way, with checksums that are often right. @return its length */
static unsigned hostile_frame(uint8_t *f) {
  static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100};
  static const uint8_t protocols[] = {6, 6, 6, 6, 1, 17, 2, 255};
  static const uint8_t hosts[] = {15, 15, 2, 255, 0};
  unsigned length = 14 + roll(120), payload = length - 14;
  for (unsigned i = 0; i < length; i++)
    f[i] = (uint8_t)roll(256);
  memcpy(f, (uint8_t[]){0x52, 0x54, 0, 0x12, 0x34, 0x56}, 6);
  unsigned type = types[roll(7)];
  f[12] = (uint8_t)(type >> 8);
  f[13] = (uint8_t)type;
  if (type != 0x0800 || payload < 40) return length;
  uint8_t *ip = f + 14, *tcp = ip + 20;
  ip[0] = roll(16) ? 0x45 : (uint8_t)roll(256);
  ip[2] = 0;
  ip[3] = (uint8_t)(roll(8) ? payload : roll(256));
  ip[6] = (uint8_t)(roll(4) ? 0 : roll(64));
  ip[7] = ip[6] ? (uint8_t)roll(256) : 0;
  ip[9] = protocols[roll(8)];
  memcpy(ip + 12, (uint8_t[]){10, 0, 2, hosts[roll(5)]}, 4);
  memcpy(ip + 16, (uint8_t[]){10, 0, 2, roll(8) ? 15 : hosts[roll(5)]}, 4);
  memcpy(tcp, (uint8_t[]){0, (uint8_t)roll(4), 0, PORT}, 4);
  tcp[12] = (uint8_t)(roll(4) ? 0x50 : roll(256));
  if (ip[9] == 6 && roll(8)) put_sum(tcp + 16, ip + 12, payload - 12, 6 + payload - 20);
  put_sum(ip + 10, ip, 20, 0);
  return length;
}

START_TEST(hostile_frames_do_no_harm) {
  struct dq_desc d;
  for (unsigned i = 0; i < 100000; i++) {
    while (dq_pop(nic_ring(frames, NIC_RING_TX), &d))
      dq_push(nic_ring(frames, NIC_RING_TX_DONE), d);
    if (!dq_pop(nic_ring(frames, NIC_RING_RX_FREE), &d)) ck_abort_msg("receive buffers are lost");
    d.length = hostile_frame((uint8_t *)frames + d.offset);
    dq_push(nic_ring(frames, NIC_RING_RX), d);
    turn_end();
    if (i % 500 == 0) answer_arp(); /* so that replies go out */
    if (i % 50 == 0) pass(10);
  }
  pass(400000); /* what they began has timed out */
  connect_both();
  ck_assert_int_eq(ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), "hello", 5), 0);
  pass(20);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 5);
}
END_TEST

/* Sends on and on; the driver takes nothing. */
START_TEST(a_stuck_driver_holds_back_without_loss_of_count) {
  msg_t m = to_port(make_socket(CLIENT), 0, 9);
  IPC(&m, sock_connect)->address = inet_addr("10.0.2.2");
  ck_assert_int_eq(ask(CLIENT, m, NULL, 0), 0);
  pass(400000);
  int pending = num_pending_writes;
  ck_assert_int_gt(pending, 0);
  ck_assert_int_le(pending, NIC_TX_BUFFERS);
  struct dq_desc d;
  while (dq_pop(nic_ring(frames, NIC_RING_TX), &d))
    dq_push(nic_ring(frames, NIC_RING_TX_DONE), d);
  turn_end();
  ck_assert_int_le(num_pending_writes, 1);
}
END_TEST

static int duplicate(endpoint_t who, uint32_t s, endpoint_t from, endpoint_t to) {
  msg_t m = {.type = IO_DUPLICATE};
  *IPC(&m, io_duplicate) = (struct io_duplicate){.handle = s, .from = from, .to = to};
  return ask(who, m, NULL, 0);
}

START_TEST(a_duplicate_keeps_a_connection) {
  connect_both();
  ck_assert_int_eq(duplicate(CLIENT, client, CLIENT, CHILD), -EPERM);
  ck_assert_int_eq(duplicate(PM, 99999, CLIENT, CHILD), -EBADF);
  ck_assert_int_eq(duplicate(PM, client, SERVER, CHILD), -EBADF);
  ck_assert_int_eq(duplicate(PM, client, CLIENT, CHILD), 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, io_duplicate)->handle, client);
  uint64_t reading = start(CLIENT, on_handle(SOCK_RECV, client, SOCK_WAIT, 100), NULL, 0);
  requests_drop_owner(CLIENT); /* nobody is left who waits */
  turn_end();
  ck_assert(take_answer(reading) && reply.status == -EBADF);
  ck_assert_int_eq(receive(CLIENT, client), -EBADF);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_SEND, server, 0, 0), "hi", 2), 0);
  pass(20);
  ck_assert(notified[CHILD] & SOCK_READY);
  ck_assert_int_eq(receive(CHILD, client), 0);
  ck_assert_uint_eq(reply.payload, 2);
  ck_assert_int_eq(ask(CHILD, on_handle(SOCK_CLOSE, client, 0, 0), NULL, 0), 0);
  pass(20);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 0);
}
END_TEST

START_TEST(a_program_that_ends_closes_its_sockets) {
  connect_both();
  ck_assert_int_eq(duplicate(PM, client, CLIENT, CHILD), 0);
  requests_drop_owner(CLIENT);
  ck_assert_int_eq(ask(CHILD, on_handle(SOCK_SEND, client, 0, 0), "bye", 3), 0);
  requests_drop_owner(CHILD);
  pass(20);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 3);
  ck_assert_int_eq(receive(SERVER, server), 0);
  ck_assert_uint_eq(reply.payload, 0);
}
END_TEST

START_TEST(who_accepts_has_the_connection) {
  ck_assert_int_eq(duplicate(PM, listener, SERVER, CHILD), 0);
  client = make_socket(CLIENT);
  ck_assert_int_eq(ask(CLIENT, to_port(client, 0, PORT), NULL, 0), 0);
  pass(20);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_CLOSE, listener, 0, 0), NULL, 0), 0);
  ck_assert_int_eq(ask(SERVER, on_handle(SOCK_ACCEPT, listener, 0, 0), NULL, 0), -EBADF);
  ck_assert_int_eq(ask(CHILD, on_handle(SOCK_ACCEPT, listener, 0, 0), NULL, 0), 0);
  server = IPC_REPLY(&reply, sock_accept)->handle;
  ck_assert_int_eq(receive(CHILD, server), -EAGAIN);
  ck_assert_int_eq(receive(SERVER, server), -EBADF);
}
END_TEST

static msg_t through(uint32_t type, uint32_t s, uint32_t grant, uint64_t at, uint32_t bytes,
                     uint32_t flags) {
  msg_t m = {.type = type};
  *IPC(&m, sock_recv_into) =
      (struct sock_recv_into){.at = at, .handle = s, .grant = grant, .max = bytes, .flags = flags};
  return m;
}

START_TEST(bytes_go_through_lent_memory) {
  connect_both();
  memcpy(lent + 100, "hello", 5);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_SEND_FROM, client, 2, 100, 5, 0), NULL, 0), 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_send_from)->taken, 5);
  pass(20);
  ck_assert_int_eq(ask(SERVER, through(SOCK_RECV_INTO, server, 3, 4000, 4, 0), NULL, 0), 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_recv_into)->taken, 4);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_recv_into)->more, 1);
  ck_assert(memcmp(lent + 4000, "hell", 4) == 0);
  ck_assert_int_eq(receive(SERVER, server), 0);
  uint64_t token = start(SERVER, through(SOCK_RECV_INTO, server, 3, 0, 10, SOCK_WAIT), NULL, 0);
  ck_assert(!take_answer(token));
  ask(CLIENT, on_handle(SOCK_SEND, client, 0, 0), "later", 5);
  pass(20);
  ck_assert(take_answer(token) && reply.status == 0);
  ck_assert_uint_eq(IPC_REPLY(&reply, sock_recv_into)->taken, 5);
  ck_assert(memcmp(lent, "later", 5) == 0);
}
END_TEST

START_TEST(only_what_is_lent_is_used) {
  connect_both();
  ck_assert_int_eq(ask(CLIENT, through(SOCK_SEND_FROM, client, 9, 0, 1, 0), NULL, 0), -ENOENT);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_SEND_FROM, client, 3, 0, 1, 0), NULL, 0), -EACCES);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_RECV_INTO, client, 2, 0, 1, 0), NULL, 0), -EACCES);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_RECV_INTO, client, 1, 4096, 1, 0), NULL, 0), -EFAULT);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_RECV_INTO, client, 1, 1, 4096, 0), NULL, 0), -EFAULT);
  ck_assert_int_eq(ask(SERVER, through(SOCK_RECV_INTO, client, 3, 0, 1, 0), NULL, 0), -EBADF);
  ck_assert_int_eq(ask(CLIENT, through(SOCK_RECV_INTO, client, 1, 0, 1, 0), NULL, 0), -EAGAIN);
  revoked = 1;
  lent_revoked();
  ck_assert_int_eq(ask(CLIENT, through(SOCK_RECV_INTO, client, 1, 0, 1, 0), NULL, 0), -ENOENT);
}
END_TEST

START_TEST(shares_are_bounded) {
  for (unsigned i = 0; i < MAX_SHARES; i++)
    ck_assert_int_eq(duplicate(PM, make_socket(CLIENT), CLIENT, CHILD), 0);
  ck_assert_int_eq(duplicate(PM, make_socket(CLIENT), CLIENT, CHILD), -EMFILE);
  requests_drop_owner(CHILD);
  ck_assert_int_eq(duplicate(PM, make_socket(CLIENT), CLIENT, CHILD), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sockets");
  TCase *tc = tcase_create("sockets");
  tcase_set_timeout(tc, 60);
  tcase_add_checked_fixture(tc, setup, NULL);
  tcase_add_test(tc, bytes_arrive_in_both_directions);
  tcase_add_test(tc, handles_belong_to_their_owner);
  tcase_add_test(tc, wrong_states_are_refused);
  tcase_add_test(tc, waiting_requests_are_answered_later);
  tcase_add_test(tc, refused_connection);
  tcase_add_test(tc, unread_bytes_stop_the_sender);
  tcase_add_test(tc, room_is_told_once_there_is_some);
  tcase_add_test(tc, streams_end_one_by_one);
  tcase_add_test(tc, a_dead_owner_resets_its_connections);
  tcase_add_test(tc, closing_answers_who_waits);
  tcase_add_test(tc, a_restarted_driver_gets_at_once_what_was_lost);
  tcase_add_test(tc, hostile_frames_do_no_harm);
  tcase_add_test(tc, a_stuck_driver_holds_back_without_loss_of_count);
  tcase_add_test(tc, a_duplicate_keeps_a_connection);
  tcase_add_test(tc, a_program_that_ends_closes_its_sockets);
  tcase_add_test(tc, who_accepts_has_the_connection);
  tcase_add_test(tc, bytes_go_through_lent_memory);
  tcase_add_test(tc, only_what_is_lent_is_used);
  tcase_add_test(tc, shares_are_bounded);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
