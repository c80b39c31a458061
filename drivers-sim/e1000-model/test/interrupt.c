/* Causes, mask, moderation and delays. */
#include "harness.h"

START_TEST(reading_the_cause_clears_it) {
  set(E1000_ICS, E1000_ICR_LSC | E1000_ICR_RXO);
  ck_assert_uint_eq(table.interrupts, 0); /* all is masked */
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_LSC | E1000_ICR_RXO);
  ck_assert_uint_eq(get(E1000_ICR), 0);
}
END_TEST

START_TEST(mask_sets_and_clears_by_bit) {
  set(E1000_IMS, 5);
  set(E1000_IMS, 2);
  set(E1000_IMC, 4);
  ck_assert_uint_eq(get(E1000_IMS), 3);
  ck_assert_uint_eq(get(E1000_IMC), 0);
}
END_TEST

START_TEST(unmasking_a_pending_cause_raises) {
  set(E1000_ICS, E1000_ICR_LSC);
  set(E1000_IMS, E1000_ICR_LSC);
  ck_assert_uint_eq(table.interrupts, 1);
}
END_TEST

START_TEST(line_stays_raised_until_the_cause_is_read) {
  set(E1000_IMS, UINT32_MAX);
  set(E1000_ICS, E1000_ICR_RXT0);
  set(E1000_ICS, E1000_ICR_TXDW);
  set(E1000_ICS, E1000_ICR_RXT0);
  ck_assert_uint_eq(table.interrupts, 1);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_RXT0 | E1000_ICR_TXDW);
  set(E1000_ICS, E1000_ICR_RXT0);
  ck_assert_uint_eq(table.interrupts, 2);
}
END_TEST

START_TEST(writing_the_cause_clears_those_bits) {
  set(E1000_IMS, UINT32_MAX);
  set(E1000_ICS, E1000_ICR_RXT0 | E1000_ICR_TXDW);
  set(E1000_ICR, E1000_ICR_RXT0);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_TXDW);
}
END_TEST

START_TEST(moderation_spaces_interrupts) {
  set(E1000_ITR, 3906); /* 3906 * 256 ns: a millisecond */
  set(E1000_IMS, UINT32_MAX);
  uint64_t t0 = table.now_us;
  set(E1000_ICS, E1000_ICR_RXT0);
  ck_assert_uint_eq(table.interrupts, 1);
  get(E1000_ICR);
  clock_to(t0 + 400);
  set(E1000_ICS, E1000_ICR_RXT0);
  set(E1000_ICS, E1000_ICR_TXDW);
  clock_to(t0 + 900);
  ck_assert_uint_eq(table.interrupts, 1);
  clock_to(t0 + 1001);
  ck_assert_uint_eq(table.interrupts, 2);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_RXT0 | E1000_ICR_TXDW);
  clock_to(t0 + 5000);
  ck_assert_uint_eq(table.interrupts, 2);
}
END_TEST

static void receive_one(void) {
  peer_send(table_mac, 100, 1);
  turn();
}

START_TEST(receive_delay_restarts_and_has_a_limit) {
  start(8, 0, 0);
  for (uint32_t i = 0; i < 7; i++)
    give_rx(i);
  set(E1000_RDT, 7);
  set(E1000_RDTR, 100); /* 102 us after the last frame, */
  set(E1000_RADV, 200); /* 204 us after the first */
  set(E1000_IMS, E1000_ICR_RXT0);
  uint64_t t0 = table.now_us;
  receive_one();
  clock_to(t0 + 90);
  receive_one();
  clock_to(t0 + 110);
  ck_assert_uint_eq(table.interrupts, 0);
  clock_to(t0 + 180);
  receive_one();
  clock_to(t0 + 200);
  ck_assert_uint_eq(table.interrupts, 0);
  clock_to(t0 + 204);
  ck_assert_uint_eq(table.interrupts, 1);
  ck_assert_uint_eq(get(E1000_ICR) & E1000_ICR_RXT0, E1000_ICR_RXT0);

  receive_one();
  clock_to(t0 + 400);
  ck_assert_uint_eq(table.interrupts, 2);
}
END_TEST

START_TEST(transmit_delay_only_where_asked_for) {
  uint8_t command = E1000_TXD_EOP | E1000_TXD_IFCS | E1000_TXD_RS;
  start(8, 0, 0);
  set(E1000_TIDV, 100);
  set(E1000_IMS, E1000_ICR_TXDW);
  put_tx(0, 60, 1, command | E1000_TXD_IDE);
  set(E1000_TDT, 1);
  ck_assert_uint_eq(table.interrupts, 0);
  clock_to(table.now_us + 103);
  ck_assert_uint_eq(table.interrupts, 1);
  get(E1000_ICR);
  put_tx(1, 60, 1, command);
  set(E1000_TDT, 2);
  ck_assert_uint_eq(table.interrupts, 2);
}
END_TEST

TCase *interrupt_case(void) {
  TCase *c = tcase_create("interrupts");
  tcase_add_checked_fixture(c, table_setup, table_teardown);
  tcase_add_test(c, reading_the_cause_clears_it);
  tcase_add_test(c, mask_sets_and_clears_by_bit);
  tcase_add_test(c, unmasking_a_pending_cause_raises);
  tcase_add_test(c, line_stays_raised_until_the_cause_is_read);
  tcase_add_test(c, writing_the_cause_clears_those_bits);
  tcase_add_test(c, moderation_spaces_interrupts);
  tcase_add_test(c, receive_delay_restarts_and_has_a_limit);
  tcase_add_test(c, transmit_delay_only_where_asked_for);
  return c;
}
