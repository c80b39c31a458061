/* Registers and the controller's states. */
#include "harness.h"

START_TEST(tells_what_it_can) {
  ck_assert_uint_eq(NVME_CAP_MQES(get(NVME_CAP)), QUEUE_ENTRIES - 1);
  ck_assert(get(NVME_CAP) & NVME_CAP_CQR);
  ck_assert_uint_gt(NVME_CAP_TO(get(NVME_CAP)), 0);
  ck_assert_uint_eq(get(NVME_CAP_HIGH), NVME_CAP_HIGH_CSS_NVM);
  ck_assert_uint_eq(get(NVME_VS), NVME_VS_1_4);
  ck_assert_uint_eq(get(NVME_CSTS), 0);
  set(NVME_CAP, 0);
  set(NVME_CSTS, NVME_CSTS_RDY);
  ck_assert_uint_eq(NVME_CAP_MQES(get(NVME_CAP)), QUEUE_ENTRIES - 1);
  ck_assert_uint_eq(get(NVME_CSTS), 0);
}
END_TEST

START_TEST(accesses_outside_are_harmless) {
  ck_assert_uint_eq(get(NVME_BAR_BYTES), UINT32_MAX);
  ck_assert_uint_eq(get(2), UINT32_MAX);
  set(NVME_BAR_BYTES, 1);
  set(UINT32_MAX, 1);
}
END_TEST

START_TEST(becomes_ready_and_forgets_at_a_reset) {
  enable();
  create_io_queues();
  set(NVME_CC, 0);
  ck_assert_uint_eq(get(NVME_CSTS), 0);
  ck_assert_uint_eq(table.device.sqs[1].entries, 0);
  ck_assert_uint_eq(get(nvme_sq_doorbell(0)), 0);
  enable();
  create_io_queues();
}
END_TEST

START_TEST(refuses_queues_that_lie_nowhere) {
  static const struct {
    uint32_t reg, value;
  } wrongs[] = {{NVME_ASQ_HIGH, 0},
                {NVME_ASQ, 8},
                {NVME_ACQ, RINGS_BYTES},
                {NVME_ACQ_HIGH, 9},
                {NVME_AQA, 0},
                {NVME_CC, 1 << 7 | NVME_CC_EN},
                {NVME_CC, 1 << 4 | NVME_CC_EN}};
  set(NVME_AQA, 31 | 31 << 16);
  set(NVME_ASQ, ADMIN_SQ_AT);
  set(NVME_ASQ_HIGH, DMA_RINGS);
  set(NVME_ACQ, ADMIN_CQ_AT);
  set(NVME_ACQ_HIGH, DMA_RINGS);
  set(wrongs[_i].reg, wrongs[_i].value);
  set(NVME_CC, get(NVME_CC) | NVME_CC_EN);
  ck_assert_uint_eq(get(NVME_CSTS), NVME_CSTS_CFS);
  ck_assert_uint_eq(table.complaints, 1);
  set(NVME_CC, 0);
  enable(); /* a reset mends it */
}
END_TEST

START_TEST(interrupts_can_be_masked) {
  enable();
  unsigned before = table.interrupts;
  create_io_queues();
  ck_assert_uint_eq(table.interrupts, before + 2);
  set(NVME_INTMS, 1);
  transfer(NVME_READ, 0, 1, 0, 0);
  ck_assert_uint_eq(table.interrupts, before + 2);
  ck_assert_uint_eq(get(NVME_INTMC), 1);
  set(NVME_INTMC, 1);
  ck_assert_uint_eq(table.interrupts, before + 3);
  ck_assert_uint_eq(get(NVME_INTMS), 0);
}
END_TEST

START_TEST(shutdown_keeps_what_was_written) {
  enable();
  create_io_queues();
  table.frames[0] = 'x';
  ck_assert_uint_eq(transfer(NVME_WRITE, 3, 1, 0, 0), NVME_SUCCESS);
  ck_assert_int_eq(table.media[3 * LBA_BYTES], 0);
  set(NVME_CC, get(NVME_CC) | NVME_CC_SHN_NORMAL);
  ck_assert_uint_eq(get(NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_COMPLETE);
  ck_assert_int_eq(table.media[3 * LBA_BYTES], 'x');
}
END_TEST

TCase *controller_case(void) {
  TCase *t = tcase_create("controller");
  tcase_add_checked_fixture(t, table_setup, table_teardown);
  tcase_add_test(t, tells_what_it_can);
  tcase_add_test(t, accesses_outside_are_harmless);
  tcase_add_test(t, becomes_ready_and_forgets_at_a_reset);
  tcase_add_loop_test(t, refuses_queues_that_lie_nowhere, 0, 7);
  tcase_add_test(t, interrupts_can_be_masked);
  tcase_add_test(t, shutdown_keeps_what_was_written);
  return t;
}
