/* Admin commands. */
#include <string.h>

#include "harness.h"

static struct nvme_command with_data(uint8_t opcode, uint32_t nsid, uint32_t cdw10) {
  return (struct nvme_command){.opcode = opcode,
                               .nsid = nsid,
                               .prp1 = dma_address(DMA_FRAMES, 0),
                               .prp2 = dma_address(DMA_FRAMES, NVME_PAGE_BYTES),
                               .cdw10 = cdw10};
}

START_TEST(identifies_itself) {
  const struct nvme_id_controller *id = (const void *)table.frames;
  ck_assert_uint_eq(run(0, with_data(NVME_IDENTIFY, 0, NVME_CNS_CONTROLLER)), NVME_SUCCESS);
  ck_assert_int_eq(memcmp(id->model, "Proteos simulated NVMe  ", 24), 0);
  ck_assert_uint_eq(id->mdts, TRANSFER_PAGES_SHIFT);
  ck_assert_uint_eq(id->sqes, 0x66);
  ck_assert_uint_eq(id->cqes, 0x44);
  ck_assert_uint_eq(id->nn, 1);
  ck_assert_uint_eq(id->oncs, NVME_ONCS_WRITE_ZEROES);
  ck_assert_uint_eq(id->vwc & 1, 1);
}
END_TEST

START_TEST(identifies_its_namespace) {
  const struct nvme_id_namespace *id = (const void *)table.frames;
  const uint32_t *list = (const void *)table.frames;
  ck_assert_uint_eq(run(0, with_data(NVME_IDENTIFY, 1, NVME_CNS_NAMESPACE)), NVME_SUCCESS);
  ck_assert_uint_eq(id->nsze, MEDIA_BYTES / LBA_BYTES);
  ck_assert_uint_eq(id->lbaf[id->flbas & 15].lbads, LBA_SHIFT);
  ck_assert_uint_eq(run(0, with_data(NVME_IDENTIFY, 0, NVME_CNS_NAMESPACES)), NVME_SUCCESS);
  ck_assert_uint_eq(list[0], 1);
  ck_assert_uint_eq(list[1], 0);
  ck_assert_uint_eq(run(0, with_data(NVME_IDENTIFY, 1, NVME_CNS_NAMESPACES)), NVME_SUCCESS);
  ck_assert_uint_eq(list[0], 0);
}
END_TEST

START_TEST(tells_and_sets_features) {
  struct nvme_command get_cache = {.opcode = NVME_GET_FEATURES,
                                   .cdw10 = NVME_FEATURE_VOLATILE_CACHE};
  ck_assert_uint_eq(run_result(0, get_cache), 1);
  table.frames[0] = 'a';
  transfer(NVME_WRITE, 0, 1, 0, 0);
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_SET_FEATURES,
                                                 .cdw10 = NVME_FEATURE_VOLATILE_CACHE}),
                    NVME_SUCCESS);
  ck_assert_int_eq(table.media[0], 'a');
  ck_assert_uint_eq(run_result(0, get_cache), 0);
  transfer(NVME_WRITE, 1, 1, 0, 0);
  ck_assert_int_eq(table.media[LBA_BYTES], 'a');
  uint32_t queues = run_result(0, (struct nvme_command){.opcode = NVME_SET_FEATURES,
                                                        .cdw10 = NVME_FEATURE_QUEUES,
                                                        .cdw11 = 7 | 7 << 16});
  ck_assert_uint_eq(queues, (QUEUES - 2) | (QUEUES - 2) << 16);
}
END_TEST

START_TEST(counts_in_the_health_log) {
  uint64_t reads, writes;
  transfer(NVME_WRITE, 0, 8, 0, 0);
  transfer(NVME_READ, 0, 8, 0, 0);
  transfer(NVME_READ, 0, 8, 0, 0);
  ck_assert_uint_eq(
      run(0, with_data(NVME_GET_LOG_PAGE, NVME_NSID_ALL, NVME_LOG_SMART | (512 / 4 - 1) << 16)),
      NVME_SUCCESS);
  memcpy(&reads, table.frames + 64, 8);
  memcpy(&writes, table.frames + 80, 8);
  ck_assert_uint_eq(reads, 2);
  ck_assert_uint_eq(writes, 1);
}
END_TEST

START_TEST(async_events_wait_up_to_a_limit) {
  struct nvme_completion done;
  for (unsigned i = 0; i < ASYNC_EVENTS; i++)
    put(0, (struct nvme_command){.opcode = NVME_ASYNC_EVENT});
  ring(0);
  ck_assert(!take(0, &done));
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_ASYNC_EVENT}),
                    NVME_AER_LIMIT_EXCEEDED | NVME_DNR);
}
END_TEST

static const struct {
  struct nvme_command c;
  uint16_t status;
} refusals[] = {
    {{.opcode = 0x55}, NVME_INVALID_OPCODE},
    {{.opcode = NVME_IDENTIFY, .flags = 0x40}, NVME_INVALID_FIELD},
    {{.opcode = NVME_IDENTIFY, .cdw10 = 9}, NVME_INVALID_FIELD},
    {{.opcode = NVME_IDENTIFY, .nsid = 2}, NVME_INVALID_NAMESPACE},
    {{.opcode = NVME_IDENTIFY, .cdw10 = 1}, NVME_DATA_TRANSFER_ERROR},
    {{.opcode = NVME_IDENTIFY, .cdw10 = 1, .prp1 = 2}, NVME_PRP_OFFSET_INVALID},
    {{.opcode = NVME_GET_LOG_PAGE, .cdw10 = 0x77}, NVME_LOG_PAGE_INVALID},
    {{.opcode = NVME_GET_LOG_PAGE, .cdw10 = 1, .cdw11 = 1}, NVME_INVALID_FIELD},
    {{.opcode = NVME_GET_FEATURES, .cdw10 = 0x66}, NVME_INVALID_FIELD},
    {{.opcode = NVME_SET_FEATURES, .cdw10 = 6 | 1u << 31}, NVME_INVALID_FIELD},
    {{.opcode = NVME_SET_FEATURES, .cdw10 = 7, .cdw11 = 0xFFFF}, NVME_INVALID_FIELD},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 31 << 16, .cdw11 = 1}, NVME_QID_INVALID},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = QUEUES | 31 << 16, .cdw11 = 1}, NVME_QID_INVALID},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 2, .cdw11 = 1}, NVME_QUEUE_SIZE_INVALID},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 2 | 0xFFFFu << 16, .cdw11 = 1}, NVME_QUEUE_SIZE_INVALID},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 2 | 31 << 16}, NVME_INVALID_FIELD},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 2 | 31 << 16, .cdw11 = 1, .prp1 = 64},
     NVME_PRP_OFFSET_INVALID},
    {{.opcode = NVME_CREATE_CQ, .cdw10 = 2 | 31 << 16, .cdw11 = 1}, NVME_INVALID_FIELD},
    {{.opcode = NVME_CREATE_CQ,
      .cdw10 = 2 | 31 << 16,
      .cdw11 = 1 | 1 << 16,
      .prp1 = (uint64_t)DMA_FRAMES << 32},
     NVME_VECTOR_INVALID},
    {{.opcode = NVME_CREATE_CQ,
      .cdw10 = 1 | 31 << 16,
      .cdw11 = 1,
      .prp1 = (uint64_t)DMA_FRAMES << 32},
     NVME_QID_INVALID},
    {{.opcode = NVME_CREATE_SQ,
      .cdw10 = 2 | 31 << 16,
      .cdw11 = 1 | 2 << 16,
      .prp1 = (uint64_t)DMA_FRAMES << 32},
     NVME_CQ_INVALID},
    {{.opcode = NVME_DELETE_CQ, .cdw10 = 1}, NVME_QUEUE_DELETION_INVALID},
    {{.opcode = NVME_DELETE_CQ, .cdw10 = 0}, NVME_QID_INVALID},
    {{.opcode = NVME_DELETE_SQ, .cdw10 = 0}, NVME_QID_INVALID},
    {{.opcode = NVME_DELETE_SQ, .cdw10 = 3}, NVME_QID_INVALID},
};

START_TEST(refuses) {
  ck_assert_uint_eq(run(0, refusals[_i].c), refusals[_i].status | NVME_DNR);
  ck_assert_uint_eq(transfer(NVME_READ, 0, 1, 0, 0), NVME_SUCCESS);
}
END_TEST

START_TEST(sizes_of_entries_must_be_set) {
  set(NVME_CC, 0);
  set(NVME_CC, NVME_CC_EN);
  table.tails[0] = table.heads[0] = 0;
  table.phases[0] = NVME_PHASE;
  memset(table.rings + ADMIN_CQ_AT, 0, ENTRIES * NVME_CQE_BYTES);
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_CREATE_CQ,
                                                 .prp1 = dma_address(DMA_RINGS, IO_CQ_AT),
                                                 .cdw10 = 1 | (ENTRIES - 1) << 16,
                                                 .cdw11 = NVME_QUEUE_CONTIGUOUS}),
                    NVME_INVALID_FIELD | NVME_DNR);
}
END_TEST

START_TEST(queues_can_be_deleted_and_made_again) {
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_DELETE_SQ, .cdw10 = 1}),
                    NVME_SUCCESS);
  ck_assert_uint_eq(run(0, (struct nvme_command){.opcode = NVME_DELETE_CQ, .cdw10 = 1}),
                    NVME_SUCCESS);
  create_io_queues();
  ck_assert_uint_eq(transfer(NVME_READ, 0, 1, 0, 0), NVME_SUCCESS);
}
END_TEST

TCase *admin_case(void) {
  TCase *t = tcase_create("admin");
  tcase_add_checked_fixture(t, table_setup_ready, table_teardown);
  tcase_add_test(t, identifies_itself);
  tcase_add_test(t, identifies_its_namespace);
  tcase_add_test(t, tells_and_sets_features);
  tcase_add_test(t, counts_in_the_health_log);
  tcase_add_test(t, async_events_wait_up_to_a_limit);
  tcase_add_loop_test(t, refuses, 0, sizeof(refusals) / sizeof(refusals[0]));
  tcase_add_test(t, sizes_of_entries_must_be_set);
  tcase_add_test(t, queues_can_be_deleted_and_made_again);
  return t;
}
