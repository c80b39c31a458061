/* Transmitting: descriptors, batches, back-pressure, a wire that goes away. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

enum { WHOLE = E1000_TXD_EOP | E1000_TXD_IFCS | E1000_TXD_RS };

static uint8_t frame[WIRE_SEND_MAX];

static bool is_done(uint32_t i) {
  return tx_desc(i)->status & E1000_TXD_DD;
}

static void ck_frame(uint32_t bytes, uint8_t fill) {
  ck_assert_uint_eq(peer_receive(frame, sizeof(frame)), bytes);
  ck_assert_uint_eq(frame[0], fill);
  ck_assert_uint_eq(frame[bytes - 1], fill);
}

static void ck_nothing_sent(void) {
  ck_assert_uint_eq(peer_receive(frame, sizeof(frame)), 0);
}

START_TEST(a_frame_is_sent_and_reported) {
  start(8, 0, 0);
  set(E1000_IMS, E1000_ICR_TXDW);
  put_tx(0, 300, 0x42, WHOLE);
  set(E1000_TDT, 1);
  ck_frame(300, 0x42);
  ck_assert(is_done(0));
  ck_assert_uint_eq(get(E1000_TDH), 1);
  ck_assert_uint_eq(table.interrupts, 1);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_TXDW | E1000_ICR_TXQE);
  ck_assert_uint_eq(get(E1000_GPTC), 1);
  ck_assert_uint_eq(get(E1000_TOTL), 304);
}
END_TEST

START_TEST(a_posted_tail_is_seen_at_the_doorbell) {
  start(8, 0, 0);
  put_tx(0, 300, 1, WHOLE);
  post(E1000_TDT, 1);
  ck_nothing_sent();
  device_look(&table.device);
  ck_frame(300, 1);
}
END_TEST

START_TEST(a_packet_may_lie_in_several_descriptors) {
  start(8, 0, 0);
  put_tx(0, 100, 1, E1000_TXD_IFCS);
  put_tx(1, 0, 1, E1000_TXD_IFCS);
  put_tx(2, 50, 2, E1000_TXD_IFCS);
  set(E1000_TDT, 3);
  ck_nothing_sent(); /* its end is not there yet */
  ck_assert_uint_eq(get(E1000_TDH), 0);
  put_tx(3, 25, 3, WHOLE);
  set(E1000_TDT, 4);
  ck_assert_uint_eq(peer_receive(frame, sizeof(frame)), 175);
  ck_assert_uint_eq(frame[99], 1);
  ck_assert_uint_eq(frame[100], 2);
  ck_assert_uint_eq(frame[150], 3);
  ck_assert(!is_done(0));
  ck_assert(is_done(3));
  ck_assert_uint_eq(get(E1000_TDH), 4);
}
END_TEST

START_TEST(a_ring_full_of_frames_goes_in_order_around_its_end) {
  start(128, 0, 0);
  set(E1000_IMS, E1000_ICR_TXDW);
  uint32_t next = 0;
  for (uint32_t n = 0; n < 5 * 127; n++) {
    put_tx(next, 60 + n % 64, n, WHOLE);
    next = (next + 1) % 128;
    if (n % 127 != 126) continue;
    unsigned before = table.interrupts;
    set(E1000_TDT, next);
    for (uint32_t k = n - 126; k <= n; k++)
      ck_frame(60 + k % 64, k);
    ck_assert_uint_eq(table.interrupts, before + 1); /* one for them all */
    get(E1000_ICR);
  }
}
END_TEST

START_TEST(padding_and_check_sequences) {
  start(8, 0, E1000_TCTL_PSP);
  put_tx(0, 20, 9, WHOLE);
  put_tx(1, 104, 7, E1000_TXD_EOP | E1000_TXD_RS); /* its own check sequence is not for the wire */
  set(E1000_TDT, 2);
  ck_assert_uint_eq(peer_receive(frame, sizeof(frame)), 60);
  ck_assert_uint_eq(frame[19], 9);
  ck_assert_uint_eq(frame[20], 0);
  ck_frame(100, 7);
}
END_TEST

START_TEST(without_report_there_is_none) {
  start(8, 0, 0);
  put_tx(0, 60, 1, E1000_TXD_EOP | E1000_TXD_IFCS);
  set(E1000_TDT, 1);
  ck_frame(60, 1);
  ck_assert(!is_done(0));
  ck_assert_uint_eq(get(E1000_ICR) & E1000_ICR_TXDW, 0);
}
END_TEST

START_TEST(bad_packets_are_dropped_and_reported) {
  start(16, 0, 0);
  put_tx(0, 100, 1, WHOLE);
  tx_desc(0)->address = dma_address(DMA_FRAMES, FRAMES_BYTES - 99);
  put_tx(1, 100, 1, WHOLE | E1000_TXD_DEXT);
  put_tx(2, 100, 1, WHOLE | E1000_TXD_IC);
  put_tx(3, 0, 1, WHOLE);
  put_tx(4, 100, 1, WHOLE);
  tx_desc(4)->address = dma_address(7, 0);
  put_tx(5, 100, 5, WHOLE);
  set(E1000_TDT, 6);
  ck_frame(100, 5);
  ck_nothing_sent();
  for (int i = 0; i < 6; i++)
    ck_assert(is_done(i));
  ck_assert_uint_eq(table.complaints, 1);
  ck_assert_uint_eq(get(E1000_GPTC), 1);
}
END_TEST

START_TEST(a_packet_longer_than_the_device_can_take_is_dropped) {
  start(128, 0, 0);
  for (uint32_t i = 0; i < 100; i++)
    put_tx(i, 1000, 1, i == 99 ? WHOLE : E1000_TXD_IFCS);
  put_tx(100, 80, 2, WHOLE);
  set(E1000_TDT, 101);
  ck_frame(80, 2);
  ck_assert(is_done(99));
}
END_TEST

START_TEST(a_full_wire_stops_the_ring) {
  int small = 4096;
  uint32_t sent = 0;
  setsockopt(table.device.wire.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  start(256, 0, 0);
  for (uint32_t i = 0; i < 255; i++)
    put_tx(i, 1400, i, WHOLE);
  set(E1000_TDT, 255);
  uint32_t head = get(E1000_TDH);
  ck_assert_uint_lt(head, 255);
  ck_assert(device_wants_write(&table.device));
  ck_assert(!is_done(head));
  /* What has not gone may still change: the device keeps no copy of it but of one frame. */
  for (uint32_t i = head; i < 255; i++)
    put_tx(i, 1400, i ^ 0x80, WHOLE);
  while (sent < 255) {
    ck_frame(1400, sent < head ? sent : sent ^ 0x80);
    sent++;
    turn();
  }
  ck_nothing_sent();
  ck_assert_uint_eq(get(E1000_TDH), 255);
  ck_assert(!device_wants_write(&table.device));
}
END_TEST

START_TEST(a_reset_in_the_middle_of_a_frame_keeps_the_stream_whole) {
  int small = 4096;
  setsockopt(table.device.wire.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  start(256, 0, 0);
  for (uint32_t i = 0; i < 255; i++)
    put_tx(i, 1001, i, WHOLE);
  set(E1000_TDT, 255);
  uint32_t head = get(E1000_TDH);
  ck_assert_uint_lt(head, 255);
  set(E1000_CTRL, E1000_CTRL_RST);
  start(256, 0, 0);
  put_tx(0, 77, 200, WHOLE);
  set(E1000_TDT, 1);
  for (uint32_t i = 0; i < head; i++) {
    ck_frame(1001, i);
    turn();
  }
  ck_frame(77, 200);
}
END_TEST

START_TEST(without_a_peer_frames_are_lost_not_stuck) {
  start(8, 0, 0);
  close(table.peer);
  table.peer = -1;
  put_tx(0, 100, 1, WHOLE);
  set(E1000_TDT, 1);
  ck_assert(is_done(0));
  ck_assert(!(get(E1000_STATUS) & E1000_STATUS_LU));
  put_tx(1, 100, 1, WHOLE);
  set(E1000_TDT, 2);
  ck_assert(is_done(1));
}
END_TEST

TCase *transmit_case(void) {
  TCase *c = tcase_create("transmit");
  tcase_add_checked_fixture(c, table_setup, table_teardown);
  tcase_add_test(c, a_frame_is_sent_and_reported);
  tcase_add_test(c, a_posted_tail_is_seen_at_the_doorbell);
  tcase_add_test(c, a_packet_may_lie_in_several_descriptors);
  tcase_add_test(c, a_ring_full_of_frames_goes_in_order_around_its_end);
  tcase_add_test(c, padding_and_check_sequences);
  tcase_add_test(c, without_report_there_is_none);
  tcase_add_test(c, bad_packets_are_dropped_and_reported);
  tcase_add_test(c, a_packet_longer_than_the_device_can_take_is_dropped);
  tcase_add_test(c, a_full_wire_stops_the_ring);
  tcase_add_test(c, a_reset_in_the_middle_of_a_frame_keeps_the_stream_whole);
  tcase_add_test(c, without_a_peer_frames_are_lost_not_stuck);
  return c;
}
