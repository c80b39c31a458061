/* A driver that does everything wrong: the device touches no memory but its windows', and goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

START_TEST(tail_outside_the_queue) {
  set(nvme_sq_doorbell(1), ENTRIES);
  ck_assert_uint_eq(table.complaints, 1);
  set(nvme_sq_doorbell(1), table.tails[1]);
  ck_assert_uint_eq(transfer(NVME_READ, 0, 1, 0, 0), NVME_SUCCESS);
}
END_TEST

START_TEST(full_completion_queue_holds_commands_back) {
  struct nvme_completion done;
  unsigned taken = 0;
  for (unsigned i = 0; i < ENTRIES - 1; i++)
    put(1, (struct nvme_command){.opcode = NVME_FLUSH, .nsid = 1});
  ring(1);
  for (unsigned i = 0; i < 8; i++) /* none of the first is taken yet */
    put(1, (struct nvme_command){.opcode = NVME_FLUSH, .nsid = 1});
  ring(1);
  while (take(1, &done))
    taken++;
  ck_assert_uint_eq(taken, ENTRIES - 1 + 8);
}
END_TEST

static const struct {
  uint64_t prp1, prp2;
  uint16_t status;
} pages[] = {
    {0, 0, NVME_DATA_TRANSFER_ERROR},
    {UINT64_MAX - 3, 0, NVME_DATA_TRANSFER_ERROR},
    {(uint64_t)DMA_FRAMES << 32 | FRAMES_BYTES, 0, NVME_DATA_TRANSFER_ERROR},
    {(uint64_t)DMA_FRAMES << 32 | 1, 0, NVME_PRP_OFFSET_INVALID},
    {(uint64_t)DMA_FRAMES << 32, 0, NVME_DATA_TRANSFER_ERROR},
    {(uint64_t)DMA_FRAMES << 32, (uint64_t)DMA_RINGS << 32 | 4, NVME_PRP_OFFSET_INVALID},
    {(uint64_t)DMA_FRAMES << 32, (uint64_t)DMA_RINGS << 32 | (RINGS_BYTES - 8),
     NVME_DATA_TRANSFER_ERROR},
};

START_TEST(pages_that_lie_nowhere) {
  struct nvme_command c = {.opcode = NVME_READ,
                           .nsid = 1,
                           .prp1 = pages[_i].prp1,
                           .prp2 = pages[_i].prp2,
                           .cdw12 = TRANSFER_BYTES / LBA_BYTES - 1};
  ck_assert_uint_eq(run(1, c), pages[_i].status | NVME_DNR);
}
END_TEST

/* A list whose last entry leads to its own page again ends with the data. */
START_TEST(list_that_goes_round) {
  uint64_t *list = (uint64_t *)(void *)(table.rings + LIST_AT);
  for (unsigned i = 0; i < 512; i++)
    list[i] = dma_address(DMA_FRAMES, 0);
  list[511] = dma_address(DMA_RINGS, LIST_AT);
  struct nvme_command c = {.opcode = NVME_READ,
                           .nsid = 1,
                           .prp1 = dma_address(DMA_FRAMES, 0),
                           .prp2 = dma_address(DMA_RINGS, LIST_AT + 511 * 8),
                           .cdw12 = TRANSFER_BYTES / LBA_BYTES - 1};
  ck_assert_uint_eq(run(1, c), NVME_SUCCESS);
}
END_TEST

START_TEST(random_bytes) {
  srandom((unsigned)_i);
  for (unsigned i = 0; i < 3000; i++) {
    struct nvme_command c;
    unsigned queue = random() % 2;
    for (unsigned k = 0; k < sizeof(c); k += 4)
      ((uint32_t *)(void *)&c)[k / 4] = (uint32_t)random();
    c.opcode &= 0xF;
    if (random() % 4) c.flags = 0;
    if (random() % 2) c.nsid = 1;
    if (random() % 2) c.prp1 = dma_address(DMA_FRAMES, c.prp1 % FRAMES_BYTES & ~3u);
    if (random() % 2) c.prp2 = dma_address(DMA_RINGS, c.prp2 % RINGS_BYTES & ~7u);
    if (random() % 2) c.cdw11 = 0, c.cdw10 %= 20000;
    put(queue, c);
    table.bar[(NVME_DOORBELLS + 8 * queue) / 4] = table.tails[queue];
    if (random() % 64 == 0)
      table.bar[(uint32_t)random() % (NVME_BAR_BYTES / 4)] = (uint32_t)random();
    device_look(&table.device);
    ck_assert(device_is_sane(&table.device));
    if (get(NVME_CSTS) != NVME_CSTS_RDY || random() % 500 == 0) {
      set(NVME_CC, 0);
      enable();
    }
  }
}
END_TEST

TCase *hostile_case(void) {
  TCase *t = tcase_create("hostile");
  tcase_add_checked_fixture(t, table_setup_ready, table_teardown);
  tcase_add_test(t, tail_outside_the_queue);
  tcase_add_test(t, full_completion_queue_holds_commands_back);
  tcase_add_loop_test(t, pages_that_lie_nowhere, 0, sizeof(pages) / sizeof(pages[0]));
  tcase_add_test(t, list_that_goes_round);
  tcase_add_loop_test(t, random_bytes, 0, 8);
  return t;
}
