/* Receiving: filters, descriptors, back-pressure, overruns. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t stranger[6] = {0x52, 0x54, 0x00, 1, 2, 3};
static const uint8_t group[6] = {0x01, 0x00, 0x5E, 0x00, 0xA5, 0x3C};

static void start_receiving(uint32_t n, uint32_t give, uint32_t rctl) {
  start(n, rctl, 0);
  for (uint32_t i = 0; i < give; i++)
    give_rx(i);
  set(E1000_RDT, give);
}

START_TEST(a_frame_lands_in_its_buffer) {
  start_receiving(8, 7, E1000_RCTL_SECRC);
  set(E1000_IMS, E1000_ICR_RXT0);
  peer_send(table_mac, 200, 0x5A);
  turn();
  struct e1000_rx_desc *d = rx_desc(0);
  ck_assert_uint_eq(d->status & (E1000_RXD_DD | E1000_RXD_EOP), E1000_RXD_DD | E1000_RXD_EOP);
  ck_assert_uint_eq(d->length, 200);
  ck_assert_uint_eq(d->errors, 0);
  ck_assert_mem_eq(rx_buffer(0), table_mac, 6);
  for (int i = 6; i < 200; i++)
    ck_assert_uint_eq(rx_buffer(0)[i], 0x5A);
  ck_assert_uint_eq(rx_buffer(0)[200], 0);
  ck_assert_uint_eq(rx_desc(1)->status, 0);
  ck_assert_uint_eq(get(E1000_RDH), 1);
  ck_assert_uint_eq(table.interrupts, 1);
  ck_assert_uint_eq(get(E1000_ICR) & E1000_ICR_RXT0, E1000_ICR_RXT0);
  ck_assert_uint_eq(get(E1000_GPRC), 1);
  ck_assert_uint_eq(get(E1000_GPRC), 0);
  ck_assert_uint_eq(get(E1000_GORCL), 204);
  ck_assert_uint_eq(get(E1000_GORCH), 0);
  ck_assert_uint_eq(get(E1000_GORCL), 0);
}
END_TEST

START_TEST(short_frames_are_padded_and_the_check_sequence_counts) {
  start_receiving(8, 7, 0);
  memset(rx_buffer(0), 0xEE, 100);
  peer_send(table_mac, 42, 0x11);
  turn();
  ck_assert_uint_eq(rx_desc(0)->length, 64);
  ck_assert_uint_eq(rx_buffer(0)[41], 0x11);
  for (int i = 42; i < 64; i++)
    ck_assert_uint_eq(rx_buffer(0)[i], 0);
  ck_assert_uint_eq(rx_buffer(0)[64], 0xEE);
  ck_assert_uint_eq(get(E1000_PRC64), 1);
}
END_TEST

START_TEST(a_long_frame_takes_several_descriptors) {
  start_receiving(16, 15, E1000_RCTL_SECRC | 3 << E1000_RCTL_BSIZE_SHIFT); /* 256 bytes each */
  peer_send(table_mac, 700, 0x77);
  turn();
  uint32_t lengths[] = {256, 256, 188};
  for (int i = 0; i < 3; i++) {
    ck_assert_uint_eq(rx_desc(i)->length, lengths[i]);
    ck_assert_uint_eq(rx_desc(i)->status & E1000_RXD_EOP, i == 2 ? E1000_RXD_EOP : 0);
    ck_assert(rx_desc(i)->status & E1000_RXD_DD);
    ck_assert_uint_eq(rx_buffer(i)[lengths[i] - 1], 0x77);
  }
  ck_assert_uint_eq(get(E1000_RDH), 3);
}
END_TEST

START_TEST(the_ring_wraps) {
  start_receiving(8, 7, E1000_RCTL_SECRC);
  give_rx(7);
  for (uint32_t i = 0; i < 40; i++) {
    peer_send(table_mac, 100, i);
    turn();
    uint32_t at = i % 8;
    ck_assert(rx_desc(at)->status & E1000_RXD_DD);
    ck_assert_uint_eq(rx_buffer(at)[50], i);
    give_rx(at);
    set(E1000_RDT, at);
  }
  ck_assert_uint_eq(get(E1000_GPRC), 40);
}
END_TEST

START_TEST(without_descriptors_the_wire_waits) {
  start_receiving(8, 2, E1000_RCTL_SECRC);
  for (int i = 0; i < 5; i++)
    peer_send(table_mac, 100, i);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 2);
  ck_assert(!device_wants_read(&table.device));
  for (uint32_t i = 2; i < 7; i++)
    give_rx(i);
  set(E1000_RDT, 7);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 5);
  for (int i = 0; i < 5; i++)
    ck_assert_uint_eq(rx_buffer(i)[50], i);
  ck_assert_uint_eq(get(E1000_MPC), 0);
  ck_assert(device_wants_read(&table.device));
}
END_TEST

START_TEST(disabled_or_without_link_the_wire_waits) {
  start_receiving(8, 7, 0);
  set(E1000_RCTL, 0);
  ck_assert(!device_wants_read(&table.device));
  set(E1000_RCTL, E1000_RCTL_EN);
  ck_assert(device_wants_read(&table.device));
  set(E1000_CTRL, 0);
  ck_assert(!device_wants_read(&table.device));
}
END_TEST

START_TEST(a_frame_too_big_for_the_whole_ring_is_an_overrun) {
  start_receiving(8, 7, E1000_RCTL_LPE | 3 << E1000_RCTL_BSIZE_SHIFT);
  peer_send(table_mac, 4000, 1);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 0);
  ck_assert(get(E1000_ICR) & E1000_ICR_RXO);
  ck_assert_uint_eq(get(E1000_MPC), 1);
  ck_assert_uint_eq(get(E1000_GPRC), 0);
}
END_TEST

START_TEST(oversize_frames_need_the_long_packet_bit) {
  start_receiving(16, 15, E1000_RCTL_SECRC);
  peer_send(table_mac, 1518, 1); /* 1522 with the check sequence: the longest */
  peer_send(table_mac, 1519, 2);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 1);
  ck_assert_uint_eq(get(E1000_ROC), 1);
  set(E1000_RCTL, E1000_RCTL_EN | E1000_RCTL_LPE | E1000_RCTL_SECRC);
  peer_send(table_mac, 5000, 3);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 4);
  ck_assert_uint_eq(rx_desc(3)->length, 5000 - 4096);
}
END_TEST

START_TEST(few_descriptors_left_is_a_cause) {
  start_receiving(8, 7, E1000_RCTL_SECRC); /* RDMTS 0: a half */
  for (int i = 0; i < 2; i++)
    peer_send(table_mac, 100, 0);
  turn();
  ck_assert(!(get(E1000_ICR) & E1000_ICR_RXDMT0));
  peer_send(table_mac, 100, 0);
  turn();
  ck_assert(get(E1000_ICR) & E1000_ICR_RXDMT0);
  peer_send(table_mac, 100, 0);
  turn();
  ck_assert(!(get(E1000_ICR) & E1000_ICR_RXDMT0));
}
END_TEST

START_TEST(filters) {
  start_receiving(64, 63, E1000_RCTL_SECRC);
  struct {
    const uint8_t *to;
    uint32_t rctl;
    bool passes;
  } cases[] = {
      {table_mac, 0, true},
      {stranger, 0, false},
      {stranger, E1000_RCTL_UPE, true},
      {stranger, E1000_RCTL_MPE | E1000_RCTL_BAM, false},
      {broadcast, 0, false},
      {broadcast, E1000_RCTL_BAM, true},
      {group, E1000_RCTL_UPE | E1000_RCTL_BAM, false},
      {group, E1000_RCTL_MPE, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint32_t before = get(E1000_RDH);
    set(E1000_RCTL, E1000_RCTL_EN | cases[i].rctl);
    peer_send(cases[i].to, 100, 0);
    turn();
    ck_assert_msg((get(E1000_RDH) != before) == cases[i].passes, "case %zu", i);
  }
}
END_TEST

START_TEST(multicast_table_takes_the_right_bits) {
  static const uint8_t shift[] = {4, 3, 2, 0};
  start_receiving(64, 63, 0);
  for (uint32_t mo = 0; mo < 4; mo++) {
    uint32_t hash = (group[4] | group[5] << 8) >> shift[mo] & 0xFFF, before = get(E1000_RDH);
    uint32_t word = E1000_MTA + 4 * (hash >> 5);
    set(E1000_RCTL, E1000_RCTL_EN | mo << E1000_RCTL_MO_SHIFT);
    set(word, ~(1u << (hash & 31)));
    peer_send(group, 100, 0);
    turn();
    ck_assert_uint_eq(get(E1000_RDH), before);
    set(word, 1u << (hash & 31));
    peer_send(group, 100, 0);
    turn();
    ck_assert_uint_eq(get(E1000_RDH), before + 1);
    ck_assert(rx_desc(before)->status & E1000_RXD_PIF);
    set(word, 0);
  }
  ck_assert_uint_eq(get(E1000_MPRC), 4);
}
END_TEST

START_TEST(further_addresses_are_exact_too) {
  start_receiving(8, 7, 0);
  set(E1000_RAL + 8 * 15,
      stranger[0] | stranger[1] << 8 | stranger[2] << 16 | (uint32_t)stranger[3] << 24);
  set(E1000_RAH + 8 * 15, stranger[4] | stranger[5] << 8);
  peer_send(stranger, 100, 0);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 0); /* not valid yet */
  set(E1000_RAH + 8 * 15, (stranger[4] | stranger[5] << 8) | E1000_RAH_AV);
  peer_send(stranger, 100, 0);
  turn();
  ck_assert_uint_eq(get(E1000_RDH), 1);
}
END_TEST

START_TEST(frames_may_come_in_pieces) {
  uint8_t data[104] = {0, 0, 0, 100};
  memcpy(data + 4, table_mac, 6);
  start_receiving(8, 7, 0);
  for (int i = 0; i < 104; i++) {
    ck_assert_uint_eq(get(E1000_RDH), 0);
    ck_assert_int_eq(write(table.peer, data + i, 1), 1);
    turn();
  }
  ck_assert_uint_eq(get(E1000_RDH), 1);
}
END_TEST

START_TEST(only_sockets_and_devices_are_wires) {
  static struct wire wire;
  int fds[2];
  ck_assert_int_eq(pipe(fds), 0);
  ck_assert_int_eq(wire_open(&wire, fds[0]), -EINVAL);
  close(fds[0]);
  close(fds[1]);
  ck_assert_int_eq(wire_open(&wire, fds[0]), -EBADF);
}
END_TEST

START_TEST(an_absurd_length_ends_the_wire) {
  start_receiving(8, 7, 0);
  ck_assert_int_eq(write(table.peer, "\xFF\xFF\xFF\xFF", 4), 4);
  turn();
  ck_assert(table.device.wire.closed);
  ck_assert(!(get(E1000_STATUS) & E1000_STATUS_LU));
}
END_TEST

START_TEST(a_bad_buffer_address_is_an_error_of_that_frame) {
  start_receiving(8, 7, 0);
  rx_desc(0)->address = dma_address(DMA_FRAMES, FRAMES_BYTES - 50);
  rx_desc(1)->address = 0;
  for (int i = 0; i < 3; i++)
    peer_send(table_mac, 100, i);
  turn();
  ck_assert_uint_eq(rx_desc(0)->errors, E1000_RXE_RXE);
  ck_assert_uint_eq(rx_desc(1)->errors, E1000_RXE_RXE);
  ck_assert_uint_eq(rx_desc(0)->length, 0);
  ck_assert_uint_eq(rx_desc(2)->errors, 0);
  ck_assert_uint_eq(rx_buffer(2)[50], 2);
  ck_assert_uint_eq(table.complaints, 1);
}
END_TEST

TCase *receive_case(void) {
  TCase *c = tcase_create("receive");
  tcase_add_checked_fixture(c, table_setup, table_teardown);
  tcase_add_test(c, a_frame_lands_in_its_buffer);
  tcase_add_test(c, short_frames_are_padded_and_the_check_sequence_counts);
  tcase_add_test(c, a_long_frame_takes_several_descriptors);
  tcase_add_test(c, the_ring_wraps);
  tcase_add_test(c, without_descriptors_the_wire_waits);
  tcase_add_test(c, disabled_or_without_link_the_wire_waits);
  tcase_add_test(c, a_frame_too_big_for_the_whole_ring_is_an_overrun);
  tcase_add_test(c, oversize_frames_need_the_long_packet_bit);
  tcase_add_test(c, few_descriptors_left_is_a_cause);
  tcase_add_test(c, filters);
  tcase_add_test(c, multicast_table_takes_the_right_bits);
  tcase_add_test(c, further_addresses_are_exact_too);
  tcase_add_test(c, frames_may_come_in_pieces);
  tcase_add_test(c, only_sockets_and_devices_are_wires);
  tcase_add_test(c, an_absurd_length_ends_the_wire);
  tcase_add_test(c, a_bad_buffer_address_is_an_error_of_that_frame);
  return c;
}
