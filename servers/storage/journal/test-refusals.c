/* Journals that are refused, with the reason, and logs that are damaged. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/storage/journal/state.h"
#include "servers/storage/journal/test-device.h"

static struct device d;

static void expect_refusal(int error, const char *text) {
  struct journal *j = (struct journal *)1;
  struct journal_reason why = {""};
  ck_assert_int_eq(journal_open(&j, &d.geometry, d.log[0], &why), error);
  ck_assert_ptr_null(j);
  ck_assert_msg(strstr(why.text, text) != NULL, "\"%s\" does not say \"%s\"", why.text, text);
  ck_assert_int_eq(journal_open(&j, &d.geometry, d.log[0], NULL), error);
}

/* ---- the super block ---- */

struct damage {
  size_t at; /* a 32-bit number of the super block */
  uint32_t value;
  int error;
  const char *text;
};

#define AT(field) offsetof(struct jbd2_superblock, field)

static const struct damage damages[] = {
    {AT(header.magic), 0, -EUCLEAN, "no super block"},
    {AT(header.type), JBD2_SUPERBLOCK_V1, -EOPNOTSUPP, "version 1"},
    {AT(header.type), JBD2_COMMIT, -EUCLEAN, "in the place of its super block"},
    {AT(header.type), 77, -EOPNOTSUPP, "type 77"},
    {AT(incompat), JBD2_INCOMPAT_FAST_COMMIT, -EOPNOTSUPP, "fast_commit"},
    {AT(incompat), JBD2_INCOMPAT_ASYNC_COMMIT, -EOPNOTSUPP, "async_commit"},
    {AT(incompat), 0x40, -EOPNOTSUPP, "unknown incompatible features (0x40)"},
    {AT(ro_compat), 2, -EOPNOTSUPP, "unknown read-only compatible features (0x2)"},
    {AT(incompat), JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3, -EUCLEAN, "several versions"},
    {AT(incompat), JBD2_INCOMPAT_CSUM_V3, -EOPNOTSUPP, "checksums of type 0"},
    {AT(users), 2, -EOPNOTSUPP, "shared by 2"},
    {AT(block_bytes), 4096, -EUCLEAN, "blocks of 4096 bytes, the file system of 1024"},
    {AT(length), JOURNAL_LENGTH + 1, -EUCLEAN, "cut off: it has 1024 blocks of 1025"},
    {AT(length), 1023, -EUCLEAN, "fewer than 1024"},
    {AT(first), 0, -EUCLEAN, "cannot begin at block 0"},
    {AT(first), JOURNAL_LENGTH - 3, -EUCLEAN, "cannot begin at block 1021"},
    {AT(first), UINT32_MAX, -EUCLEAN, "cannot begin"},
    {AT(start), JOURNAL_LENGTH, -EUCLEAN, "starts at block 1024"},
};

START_TEST(damaged_superblocks) {
  const struct damage *t = &damages[_i];
  device_init(&d, 0);
  be32 value = htobe32(t->value);
  memcpy(d.log[0] + t->at, &value, sizeof value);
  expect_refusal(t->error, t->text);
}
END_TEST

START_TEST(start_before_the_log) {
  device_init(&d, 0);
  device_superblock(&d)->first = htobe32(10);
  device_superblock(&d)->start = htobe32(9);
  expect_refusal(-EUCLEAN, "starts at block 9");
}
END_TEST

START_TEST(wrong_checksum_of_superblock) {
  device_init(&d, 0);
  device_superblock(&d)->incompat = htobe32(JBD2_INCOMPAT_CSUM_V3);
  device_checksum(&d);
  journal_free(device_open(&d));
  for (size_t at = 0; at < 1024; at++) {
    struct journal *j;
    d.log[0][at] ^= 1;
    ck_assert_int_ne(journal_open(&j, &d.geometry, d.log[0], NULL), 0);
    d.log[0][at] ^= 1;
  }
  d.log[0][AT(user_uuids)] ^= 1;
  expect_refusal(-EUCLEAN, "checksum of the journal's super block");
}
END_TEST

START_TEST(noted_error) {
  device_init(&d, 0);
  device_superblock(&d)->error = htobe32((uint32_t)-EIO);
  struct journal *j = device_open(&d);
  ck_assert_int_eq(journal_noted_error(j), -EIO);
  journal_free(j);
}
END_TEST

/* ---- the geometry ---- */

static void expect_bad_map(const struct journal_extent *extents, size_t n, const char *text) {
  device_init(&d, 0);
  d.geometry.extents = extents;
  d.geometry.nextents = n;
  expect_refusal(-EINVAL, text);
}

START_TEST(bad_maps) {
  uint64_t end = UINT64_C(1) << 40;
  expect_bad_map(NULL, 0, "no blocks");
  expect_bad_map((struct journal_extent[]){{1, 1024, 5}}, 1, "blocks from 0 on");
  expect_bad_map((struct journal_extent[]){{0, 10, 5}, {11, 1013, 500}}, 2, "blocks from 10 on");
  expect_bad_map((struct journal_extent[]){{0, 10, 5}, {9, 1015, 500}}, 2, "blocks from 10 on");
  expect_bad_map((struct journal_extent[]){{0, 0, 5}}, 1, "blocks from 0 on");
  expect_bad_map((struct journal_extent[]){{0, 1024, 0}}, 1, "outside the file system");
  expect_bad_map((struct journal_extent[]){{0, 1024, end}}, 1, "outside the file system");
  expect_bad_map((struct journal_extent[]){{0, 1024, end - 1023}}, 1, "outside the file system");
  expect_bad_map((struct journal_extent[]){{0, UINT32_MAX, 5}, {UINT32_MAX, 2, 1}}, 2, "too long");
  /* The same blocks twice, a loop. */
  expect_bad_map((struct journal_extent[]){{0, 512, 700}, {512, 512, 700}}, 2,
                 "blocks 0 and 512 have the same place");
  expect_bad_map((struct journal_extent[]){{0, 512, 1211}, {512, 512, 700}}, 2,
                 "have the same place");
}
END_TEST

START_TEST(bad_block_sizes) {
  static const uint32_t sizes[] = {0, 512, 1000, 3072, 131072};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    device_init(&d, 0);
    d.geometry.block_bytes = sizes[i];
    expect_refusal(-EINVAL, "blocks of");
  }
}
END_TEST

/* ---- the log ---- */

enum { LOG_1 = 1, DATA_1, COMMIT_1, REVOKE_2, LOG_2, DATA_2, COMMIT_2 }; /* blocks of the log */

/* Two transactions: block 10; block 11, with 12 revoked. */
static void make_log(unsigned features) {
  device_init(&d, features);
  struct journal *j = device_mount(&d);
  ck_assert_int_eq(journal_add(j, 10, content(10), JOURNAL_COPY), 0);
  device_commit(&d, j, true);
  ck_assert_int_eq(journal_revoke(j, 12), 0);
  ck_assert_int_eq(journal_add(j, 11, content(11), JOURNAL_COPY), 0);
  device_commit(&d, j, true);
  journal_free(j);
}

static void expect_replayed(unsigned transactions, bool torn) {
  struct journal *j = device_open(&d);
  struct journal_recovery done;
  ck_assert(journal_needs_recovery(j));
  ck_assert_int_eq(device_recover(&d, j, &done, NULL), 0);
  ck_assert_uint_eq(done.transactions, transactions);
  ck_assert_int_eq(done.torn, torn);
  ck_assert_uint_eq(d.nothers, transactions);
  journal_free(j);
}

static void expect_damaged(const char *text) {
  struct journal *j = device_open(&d);
  struct journal_reason why = {""};
  ck_assert_int_eq(device_recover(&d, j, NULL, &why), -EUCLEAN);
  ck_assert_msg(strstr(why.text, text) != NULL, "\"%s\" does not say \"%s\"", why.text, text);
  ck_assert_uint_eq(d.writes, 0);
  journal_free(j);
}

START_TEST(sound_log) {
  make_log(JOURNAL_CHECKSUM);
  expect_replayed(2, false);
  ck_assert_mem_eq(device_at(&d, 10), content(10), BLOCK);
  ck_assert_mem_eq(device_at(&d, 11), content(11), BLOCK);
}
END_TEST

START_TEST(damaged_logs) {
  static const struct {
    unsigned block;
    const char *text;
  } cases[] = {{LOG_1, "descriptor block of transaction 2"},
               {DATA_1, "block 10 of transaction 2"},
               {REVOKE_2, "revoke block of transaction 3"},
               {LOG_2, "descriptor block of transaction 3"},
               {DATA_2, "block 11 of transaction 3"}};
  make_log(JOURNAL_CHECKSUM);
  d.log[cases[_i].block][BLOCK - 20] ^= 4;
  expect_damaged(cases[_i].text);
}
END_TEST

START_TEST(torn_commit_records) {
  make_log(JOURNAL_CHECKSUM);
  d.log[COMMIT_2][BLOCK - 1] ^= 4;
  expect_replayed(1, true);
  make_log(JOURNAL_CHECKSUM);
  d.log[COMMIT_1][BLOCK - 1] ^= 4;
  expect_replayed(0, true);
}
END_TEST

/* What an earlier journal left behind has older commit records: it is the end of the log, not
 * damage. */
START_TEST(stale_blocks) {
  make_log(JOURNAL_CHECKSUM);
  struct jbd2_commit *c = (struct jbd2_commit *)d.log[COMMIT_2];
  c->seconds = htobe64(1600000000);
  d.log[LOG_2][BLOCK - 20] ^= 4;
  expect_replayed(1, false);
}
END_TEST

START_TEST(other_ends) {
  static const unsigned blocks[] = {REVOKE_2, LOG_2, COMMIT_2};
  for (unsigned i = 0; i < 3; i++)
    for (unsigned at = 0; at < sizeof(struct jbd2_header); at++) { /* magic, type, sequence */
      make_log(0);
      d.log[blocks[i]][at] ^= 0x40;
      expect_replayed(1, false);
    }
}
END_TEST

static struct jbd2_tag *first_tag(unsigned block) {
  return (struct jbd2_tag *)(d.log[block] + sizeof(struct jbd2_header));
}

START_TEST(places_that_cannot_be) {
  make_log(0);
  first_tag(LOG_2)->block_high = htobe32(1 << 8);
  expect_damaged("lies outside the file system");
  make_log(0);
  first_tag(LOG_2)->block = htobe32(JOURNAL_AT);
  expect_damaged("is one of the journal");
  make_log(0);
  first_tag(LOG_2)->block = htobe32(JOURNAL_AT + JOURNAL_LENGTH);
  expect_replayed(2, false);
}
END_TEST

/* A revoke is later than all copies of its own transaction, whatever their order. */
START_TEST(revoke_in_the_same_transaction) {
  make_log(0);
  d.log[REVOKE_2][sizeof(struct jbd2_revoke_header) + 7] = 11;
  struct journal *j = device_open(&d);
  struct journal_recovery done;
  ck_assert_int_eq(device_recover(&d, j, &done, NULL), 0);
  ck_assert_uint_eq(done.revoked, 1);
  ck_assert_uint_eq(done.blocks, 1);
  ck_assert_ptr_null(device_at(&d, 11));
  journal_free(j);
}
END_TEST

START_TEST(long_revoke_block) {
  make_log(0);
  ((struct jbd2_revoke_header *)d.log[REVOKE_2])->bytes = htobe32(BLOCK + 1);
  expect_damaged("longer than a block");
}
END_TEST

/* The log is a ring: what never commits must not be followed for ever. */
START_TEST(endless_logs) {
  make_log(0);
  for (unsigned at = 1; at < JOURNAL_LENGTH; at++)
    memcpy(d.log[at], d.log[REVOKE_2], BLOCK);
  device_superblock(&d)->sequence = htobe32(3);
  expect_replayed(0, false);
  first_tag(LOG_2)->flags = 0;
  for (unsigned at = 1; at < JOURNAL_LENGTH; at++) {
    memset(d.log[at] + sizeof(struct jbd2_header), 0, BLOCK - sizeof(struct jbd2_header));
    d.log[at][7] = JBD2_DESCRIPTOR;
  }
  expect_replayed(0, false);
}
END_TEST

START_TEST(recovery_that_fails) {
  make_log(JOURNAL_CHECKSUM);
  struct journal_reason why = {""};
  struct journal *j = device_open(&d);
  ck_assert_int_eq(device_recover(&d, j, NULL, &why), 0);
  unsigned reads = d.reads, writes = d.writes;
  ck_assert_uint_gt(reads, 10);
  ck_assert_uint_eq(writes, 2);
  journal_free(j);
  j = device_open(&d);
  for (d.fail_read = 1; d.fail_read <= reads; d.fail_read++) {
    ck_assert_int_eq(device_recover(&d, j, NULL, &why), -EIO);
    ck_assert_ptr_nonnull(strstr(why.text, "of the journal cannot be read: Input/output error"));
  }
  d.fail_read = 0;
  for (d.fail_write = 1; d.fail_write <= writes; d.fail_write++) {
    ck_assert_int_eq(device_recover(&d, j, NULL, &why), -EIO);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot be written from the journal"));
  }
  ck_assert(journal_needs_recovery(j));
  ck_assert_int_eq(device_recover(&d, j, NULL, &why), 0);
  ck_assert_int_eq(device_recover(&d, j, NULL, &why), -EINVAL);
  journal_free(j);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("journal-refusals");
  TCase *tc = tcase_create("refusals");
  tcase_add_loop_test(tc, damaged_superblocks, 0, sizeof damages / sizeof *damages);
  tcase_add_test(tc, start_before_the_log);
  tcase_add_test(tc, wrong_checksum_of_superblock);
  tcase_add_test(tc, noted_error);
  tcase_add_test(tc, bad_maps);
  tcase_add_test(tc, bad_block_sizes);
  tcase_add_test(tc, sound_log);
  tcase_add_loop_test(tc, damaged_logs, 0, 5);
  tcase_add_test(tc, torn_commit_records);
  tcase_add_test(tc, stale_blocks);
  tcase_add_test(tc, other_ends);
  tcase_add_test(tc, places_that_cannot_be);
  tcase_add_test(tc, revoke_in_the_same_transaction);
  tcase_add_test(tc, long_revoke_block);
  tcase_add_test(tc, endless_logs);
  tcase_add_test(tc, recovery_that_fails);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
