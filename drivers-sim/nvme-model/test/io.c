/* NVM commands, the write cache, and the data's pages. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

enum { CAPACITY = MEDIA_BYTES / LBA_BYTES };

static void fill(uint32_t offset, uint32_t bytes, unsigned seed) {
  for (uint32_t i = 0; i < bytes; i++)
    table.frames[offset + i] = (char)((i * 31 + i / 256 + seed) & 0xFF);
}

/* From within a page, over one page, two, and a list of them. */
static const struct {
  uint32_t blocks, offset;
} shapes[] = {{1, 0}, {1, 512}, {8, 0}, {8, 512}, {16, 0}, {17, 3584}, {256, 0}, {256, 1024}};

START_TEST(reads_what_was_written) {
  uint32_t bytes = shapes[_i].blocks * LBA_BYTES, at = shapes[_i].offset, back = 1 << 19;
  fill(at, bytes, (unsigned)_i);
  ck_assert_uint_eq(transfer(NVME_WRITE, 5, shapes[_i].blocks, at, 0), NVME_SUCCESS);
  ck_assert_uint_eq(transfer(NVME_READ, 5, shapes[_i].blocks, back + at, 0), NVME_SUCCESS);
  ck_assert_int_eq(memcmp(table.frames + at, table.frames + back + at, bytes), 0);
  ck_assert_uint_eq(transfer(NVME_FLUSH, 0, 1, 0, 0), NVME_SUCCESS);
  ck_assert_int_eq(memcmp(table.frames + at, table.media + 5 * LBA_BYTES, bytes), 0);
}
END_TEST

START_TEST(power_cut_loses_what_was_not_flushed) {
  fill(0, 2 * LBA_BYTES, 1);
  transfer(NVME_WRITE, 0, 1, 0, 0);
  transfer(NVME_FLUSH, 0, 1, 0, 0);
  transfer(NVME_WRITE, 1, 1, LBA_BYTES, 0);
  transfer(NVME_WRITE, 2, 1, 0, NVME_RW_FUA);
  transfer(NVME_WRITE, 3, 1, 0, 0);
  table_power_cycle();
  enable();
  create_io_queues();
  ck_assert_uint_eq(transfer(NVME_READ, 0, 4, 65536, 0), NVME_SUCCESS);
  const char *back = table.frames + 65536;
  ck_assert_int_eq(memcmp(back, table.frames, LBA_BYTES), 0);
  ck_assert_int_eq(memcmp(back + 2 * LBA_BYTES, table.frames, LBA_BYTES), 0);
  ck_assert_int_eq(back[3 * LBA_BYTES + 1], 0);
}
END_TEST

START_TEST(controller_reset_loses_nothing) {
  fill(0, LBA_BYTES, 2);
  transfer(NVME_WRITE, 9, 1, 0, 0);
  set(NVME_CC, 0);
  enable();
  create_io_queues();
  transfer(NVME_READ, 9, 1, 65536, 0);
  ck_assert_int_eq(memcmp(table.frames, table.frames + 65536, LBA_BYTES), 0);
}
END_TEST

START_TEST(a_full_cache_writes_the_oldest) {
  for (uint32_t i = 0; i < CACHE_BLOCKS + 3; i++) {
    table.frames[0] = (char)(i + 1);
    ck_assert_uint_eq(transfer(NVME_WRITE, 8 * i, 1, 0, 0), NVME_SUCCESS);
  }
  ck_assert_uint_eq(table.device.cache.nblocks, CACHE_BLOCKS);
  for (uint32_t i = 0; i < 5; i++)
    ck_assert_int_eq(table.media[i * CACHE_BLOCK_BYTES], i < 3 ? (int)i + 1 : 0);
}
END_TEST

/* Linux takes what it was given for written when a sync has failed: it must be given it again. */
START_TEST(failed_sync_keeps_what_was_to_be_synced) {
  struct media good = table.device.media, bad = {.fd = open("/dev/null", O_WRONLY)};
  bad.bytes = good.bytes; /* takes everything, and cannot be synced */
  fill(0, LBA_BYTES, 4);
  transfer(NVME_WRITE, 0, 1, 0, 0);
  table.device.media = bad;
  ck_assert_uint_eq(transfer(NVME_FLUSH, 0, 1, 0, 0), NVME_WRITE_FAULT);
  table.device.media = good;
  ck_assert_uint_eq(transfer(NVME_FLUSH, 0, 1, 0, 0), NVME_SUCCESS);
  ck_assert_int_eq(memcmp(table.media, table.frames, LBA_BYTES), 0);
  for (uint32_t i = 0; i <= CACHE_BLOCKS; i++) /* one has left the cache */
    transfer(NVME_WRITE, 8 * i, 1, 0, 0);
  table.device.media = bad;
  ck_assert_uint_eq(transfer(NVME_FLUSH, 0, 1, 0, 0), NVME_WRITE_FAULT);
  table.device.media = good;
  ck_assert_uint_eq(transfer(NVME_FLUSH, 0, 1, 0, 0), NVME_WRITE_FAULT);
  close(bad.fd);
}
END_TEST

START_TEST(writes_zeroes) {
  fill(0, 4 * LBA_BYTES, 3);
  transfer(NVME_WRITE, 0, 4, 0, 0);
  ck_assert_uint_eq(run(1, (struct nvme_command){.opcode = NVME_WRITE_ZEROES,
                                                 .nsid = 1,
                                                 .cdw10 = 1,
                                                 .cdw12 = 1 | NVME_RW_FUA}),
                    NVME_SUCCESS);
  ck_assert_int_eq(table.media[LBA_BYTES - 1], table.frames[LBA_BYTES - 1]);
  ck_assert_int_eq(table.media[LBA_BYTES], 0);
  ck_assert_int_eq(table.media[3 * LBA_BYTES - 1], 0);
  ck_assert_int_eq(table.media[3 * LBA_BYTES], table.frames[3 * LBA_BYTES]);
}
END_TEST

/* Against a model of it: sectors of random commands, as written last. */
START_TEST(random_commands_agree_with_a_model) {
  static char model[MEDIA_BYTES];
  memset(model, 0, sizeof(model));
  srandom(7);
  for (unsigned i = 0; i < 4000; i++) {
    uint32_t blocks = 1 + (uint32_t)random() % 64, at = (uint32_t)random() % 2048;
    uint32_t bytes = blocks * LBA_BYTES;
    if (random() % 3 == 0) {
      ck_assert_uint_eq(transfer(NVME_READ, at, blocks, 1 << 19, 0), NVME_SUCCESS);
      ck_assert_int_eq(memcmp(table.frames + (1 << 19), model + at * LBA_BYTES, bytes), 0);
      continue;
    }
    fill(0, bytes, i);
    memcpy(model + at * LBA_BYTES, table.frames, bytes);
    ck_assert_uint_eq(transfer(NVME_WRITE, at, blocks, 0, i % 50 ? 0 : NVME_RW_FUA), NVME_SUCCESS);
  }
  transfer(NVME_FLUSH, 0, 1, 0, 0);
  ck_assert_int_eq(memcmp(model, table.media, MEDIA_BYTES), 0);
}
END_TEST

static const struct {
  uint64_t lba;
  uint32_t blocks;
  uint16_t status;
} ranges[] = {
    {CAPACITY, 1, NVME_LBA_OUT_OF_RANGE},   {CAPACITY - 1, 2, NVME_LBA_OUT_OF_RANGE},
    {UINT64_MAX, 2, NVME_LBA_OUT_OF_RANGE}, {0, TRANSFER_BYTES / LBA_BYTES + 1, NVME_INVALID_FIELD},
    {CAPACITY - 1, 1, NVME_SUCCESS},
};

START_TEST(ranges_are_checked) {
  uint16_t status = ranges[_i].status ? ranges[_i].status | NVME_DNR : NVME_SUCCESS;
  ck_assert_uint_eq(transfer(NVME_READ, ranges[_i].lba, ranges[_i].blocks, 0, 0), status);
  ck_assert_uint_eq(transfer(NVME_WRITE, ranges[_i].lba, ranges[_i].blocks, 0, 0), status);
}
END_TEST

TCase *io_case(void) {
  TCase *t = tcase_create("io");
  tcase_add_checked_fixture(t, table_setup_ready, table_teardown);
  tcase_add_loop_test(t, reads_what_was_written, 0, sizeof(shapes) / sizeof(shapes[0]));
  tcase_add_test(t, power_cut_loses_what_was_not_flushed);
  tcase_add_test(t, controller_reset_loses_nothing);
  tcase_add_test(t, a_full_cache_writes_the_oldest);
  tcase_add_test(t, failed_sync_keeps_what_was_to_be_synced);
  tcase_add_test(t, writes_zeroes);
  tcase_add_test(t, random_commands_agree_with_a_model);
  tcase_add_loop_test(t, ranges_are_checked, 0, sizeof(ranges) / sizeof(ranges[0]));
  return t;
}
