/* The order of calls, the log's space, block numbers and sequence numbers at their limits, and
 * memory that lacks. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/storage/journal/state.h"
#include "servers/storage/journal/test-device.h"

static struct device d;

static struct journal *fresh(unsigned features) {
  device_init(&d, features);
  return device_mount(&d);
}

static void add(struct journal *j, uint64_t first, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    ck_assert_int_eq(journal_add(j, first + i, content((unsigned)first + i), JOURNAL_COPY), 0);
}

static size_t seal(struct journal *j, int expected) {
  const struct journal_write *writes;
  size_t n;
  ck_assert_int_eq(journal_seal(j, &writes, &n), expected);
  ck_assert((n == 0) == (writes == NULL));
  return n;
}

/* ---- order ---- */

START_TEST(order_of_calls) {
  struct journal_write w;
  journal_tid tid;
  device_init(&d, 0);
  struct journal *j = device_open(&d);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_CLEAN, &w), -EINVAL);
  add(j, 10, 1);
  seal(j, -EBUSY);
  ck_assert_int_eq(device_recover(&d, j, NULL, NULL), 0);
  ck_assert(!journal_committing(j, &tid));
  ck_assert_int_eq(journal_commit_record(j, 0, &w), -EINVAL);
  ck_assert_int_eq(journal_committed(j), -EINVAL);
  ck_assert_int_eq(journal_superblock_written(j), -EINVAL);
  ck_assert_uint_eq(seal(j, 0), 3); /* descriptor, data, super block */
  ck_assert(journal_committing(j, &tid) && tid == 2);
  ck_assert_uint_eq(journal_running(j), 3);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_OPEN, &w), -EBUSY);
  add(j, 11, 1);
  seal(j, -EBUSY);
  ck_assert_int_eq(journal_committed(j), -EINVAL);
  ck_assert_int_eq(journal_checkpointed(j, 2), -ENOENT);
  ck_assert_int_eq(journal_commit_record(j, 0, &w), 0);
  ck_assert_int_eq(journal_commit_record(j, 5, &w), 0);
  ck_assert(!journal_oldest(j, &tid));
  ck_assert_int_eq(journal_committed(j), 0);
  ck_assert(journal_oldest(j, &tid) && tid == 2);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_CLEAN, &w), -EBUSY);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_OPEN, &w), 0);
  ck_assert_int_eq(journal_checkpointed(j, 3), -ENOENT);
  ck_assert_int_eq(journal_checkpointed(j, 2), 0);
  ck_assert(!journal_oldest(j, &tid));
  ck_assert_int_eq(journal_superblock(j, JOURNAL_CLEAN, &w), 1);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_CLEAN, &w), -EBUSY);
  seal(j, -EBUSY); /* the super block would hide it */
  ck_assert_int_eq(journal_superblock_written(j), 0);
  ck_assert_uint_eq(seal(j, 0), 3);
  journal_free(j);
}
END_TEST

START_TEST(recovered_log_must_be_closed_first) {
  struct journal *j = fresh(0);
  struct journal_write w;
  add(j, 10, 1);
  device_commit(&d, j, true);
  journal_free(j);
  j = device_open(&d);
  ck_assert_int_eq(device_recover(&d, j, NULL, NULL), 0);
  add(j, 11, 1);
  seal(j, -EBUSY);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_OPEN, &w),
                   1); /* here, the same as JOURNAL_CLEAN */
  ck_assert_uint_eq(((const struct jbd2_superblock *)w.data)->start, 0);
  seal(j, -EBUSY);
  ck_assert_int_eq(journal_superblock_written(j), 0);
  ck_assert_uint_eq(seal(j, 0), 3);
  journal_free(j);
}
END_TEST

START_TEST(empty_transactions) {
  struct journal *j = fresh(0);
  journal_tid tid;
  ck_assert_uint_eq(seal(j, 0), 0);
  ck_assert(!journal_committing(j, &tid));
  ck_assert_uint_eq(journal_running(j), 2);
  add(j, 10, 1);
  ck_assert_int_eq(journal_revoke(j, 10), 0);
  ck_assert_uint_eq(journal_running_needs(j), 2); /* a revoke block alone */
  ck_assert_uint_eq(seal(j, 0), 2);
  journal_free(j);
  journal_free(NULL);
}
END_TEST

START_TEST(blocks_that_cannot_be_logged) {
  struct journal *j = fresh(0);
  static const uint64_t bad[] = {JOURNAL_AT, JOURNAL_AT + JOURNAL_LENGTH - 1, UINT64_C(1) << 40,
                                 UINT64_MAX};
  for (size_t i = 0; i < 4; i++) {
    ck_assert_int_eq(journal_add(j, bad[i], content(1), JOURNAL_COPY), -EINVAL);
    ck_assert_int_eq(journal_revoke(j, bad[i]), -EINVAL);
  }
  ck_assert_uint_eq(journal_running_needs(j), 0);
  journal_free(j);
}
END_TEST

START_TEST(last_word_counts) {
  struct journal *j = fresh(JOURNAL_CHECKSUM);
  static uint8_t mine[BLOCK];
  memcpy(mine, content(5), BLOCK);
  ck_assert_int_eq(journal_add(j, 10, content(1), JOURNAL_COPY), 0);
  ck_assert_int_eq(journal_add(j, 10, mine, JOURNAL_REFER), 0);
  add(j, 11, 3);
  ck_assert_int_eq(journal_revoke(j, 11), 0);
  ck_assert_int_eq(journal_revoke(j, 12), 0);
  ck_assert_int_eq(journal_add(j, 12, content(6), JOURNAL_COPY), 0);
  memcpy(mine, content(7), BLOCK);
  ck_assert_uint_eq(journal_running_needs(j), journal_needs(j, 3, 1));
  device_commit(&d, j, true);
  journal_free(j);
  journal_free(device_mount(&d));
  ck_assert_mem_eq(device_at(&d, 10), content(7), BLOCK);
  ck_assert_ptr_null(device_at(&d, 11));
  ck_assert_mem_eq(device_at(&d, 12), content(6), BLOCK);
  ck_assert_mem_eq(device_at(&d, 13), content(13), BLOCK);
}
END_TEST

/* ---- space ---- */

START_TEST(needs) {
  struct journal *j = fresh(JOURNAL_CHECKSUM); /* 64 bit: the file system is large */
  ck_assert_uint_eq(journal_needs(j, 0, 0), 0);
  ck_assert_uint_eq(journal_needs(j, 1, 0), 3);
  ck_assert_uint_eq(journal_needs(j, 62, 0), 64); /* (1020 - 12 - 16) / 16 tags */
  ck_assert_uint_eq(journal_needs(j, 63, 0), 66);
  ck_assert_uint_eq(journal_needs(j, 0, 125), 2); /* (1020 - 16) / 8 revokes */
  ck_assert_uint_eq(journal_needs(j, 0, 126), 3);
  ck_assert_uint_eq(journal_needs(j, 63, 126), 68);
  ck_assert_uint_eq(journal_needs(j, UINT32_MAX, UINT32_MAX), UINT32_MAX);
  ck_assert_uint_eq(journal_capacity(j), JOURNAL_LENGTH - 2);
  ck_assert_uint_eq(journal_free_blocks(j), journal_capacity(j));
  journal_free(j);
}
END_TEST

START_TEST(log_is_full_to_the_block) {
  struct journal *j = fresh(0);
  unsigned n = 0;
  while (journal_needs(j, n + 1, 0) <= journal_capacity(j))
    n++;
  add(j, 3100, n + 1);
  seal(j, -ENOSPC);
  ck_assert_int_eq(journal_revoke(j, 3100), 0); /* one less, but a revoke block more */
  seal(j, -ENOSPC);
  ck_assert_int_eq(journal_revoke(j, 3101), 0);
  ck_assert_uint_eq(journal_running_needs(j), journal_capacity(j));
  device_commit(&d, j, true);
  ck_assert_uint_eq(journal_free_blocks(j), 0);
  add(j, 10, 1);
  seal(j, -ENOSPC);
  journal_free(j);
  j = device_mount(&d); /* a full log is no empty one */
  ck_assert_uint_eq(d.nothers, n - 1);
  journal_free(j);
}
END_TEST

START_TEST(space_is_free_when_the_superblock_says_so) {
  struct journal *j = fresh(0);
  struct journal_write w;
  add(j, 10, 100);
  journal_tid first = device_commit(&d, j, true);
  add(j, 10, 1);
  device_commit(&d, j, true);
  uint32_t free_before = journal_free_blocks(j);
  ck_assert_uint_eq(free_before, journal_capacity(j) - 103 - 3);
  ck_assert_int_eq(journal_checkpointed(j, first), 0);
  ck_assert_uint_eq(journal_free_blocks(j), free_before);
  ck_assert_int_eq(journal_superblock(j, JOURNAL_OPEN, &w), 1);
  ck_assert_uint_eq(journal_free_blocks(j), free_before);
  ck_assert_int_eq(journal_superblock_written(j), 0);
  ck_assert_uint_eq(journal_free_blocks(j), journal_capacity(j) - 3);
  journal_free(j);
}
END_TEST

/* ---- limits ---- */

START_TEST(wide_block_numbers) {
  uint64_t wide = (UINT64_C(1) << 40) - 1;
  struct journal *j = fresh((unsigned)_i);
  add(j, wide, 1);
  add(j, 5, 1);
  device_commit(&d, j, true);
  ck_assert_int_eq(journal_revoke(j, wide - UINT32_MAX - 1), 0); /* the same in the lower half */
  ck_assert_int_eq(journal_revoke(j, 5), 0);
  device_commit(&d, j, true);
  journal_free(j);
  ck_assert(be32toh(device_superblock(&d)->incompat) & JBD2_INCOMPAT_64BIT);
  journal_free(device_mount(&d));
  ck_assert_mem_eq(device_at(&d, wide), content((unsigned)wide), BLOCK);
  ck_assert_ptr_null(device_at(&d, 5));
}
END_TEST

START_TEST(sequence_numbers_wrap) {
  device_init(&d, JOURNAL_CHECKSUM);
  device_superblock(&d)->sequence = htobe32(UINT32_MAX - 3);
  struct journal *j = device_mount(&d);
  ck_assert_uint_eq(journal_running(j), UINT32_MAX - 2);
  ck_assert_int_eq(journal_add(j, 50, content(1), JOURNAL_COPY), 0);
  for (unsigned i = 0; i < 6; i++) {
    add(j, 10 + i, 1);
    if (i == 1) ck_assert_int_eq(journal_revoke(j, 50), 0);
    device_commit(&d, j, true);
  }
  ck_assert_uint_eq(journal_running(j), 3);
  journal_free(j);
  j = device_mount(&d);
  ck_assert_uint_eq(d.nothers, 6);
  ck_assert_ptr_null(device_at(&d, 50));
  ck_assert_uint_eq(journal_running(j), 4);
  journal_free(j);
}
END_TEST

START_TEST(rest_of_the_superblock_stays) {
  struct jbd2_superblock before, *now = device_superblock(&d);
  device_init(&d, 0);
  memset(now->unused2, 0x33, sizeof now->unused2);
  before = *now;
  struct journal *j = device_mount(&d);
  ck_assert_mem_eq(now, &before, sizeof before); /* nothing to do, nothing written */
  add(j, 10, 1);
  journal_tid tid = device_commit(&d, j, true);
  ck_assert_int_eq(journal_checkpointed(j, tid), 0);
  struct journal_write w;
  ck_assert_int_eq(journal_superblock(j, JOURNAL_CLEAN, &w), 1);
  device_put(&d, &w);
  ck_assert_uint_eq(be32toh(now->sequence), 3);
  ck_assert_uint_eq(be32toh(now->incompat), JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT);
  before.sequence = now->sequence;
  before.incompat = now->incompat;
  ck_assert_mem_eq(now, &before, sizeof before);
  journal_free(j);
}
END_TEST

START_TEST(old_checksums_become_new_ones) {
  device_init(&d, JOURNAL_CHECKSUM);
  struct jbd2_superblock *s = device_superblock(&d);
  if (_i == 1)
    s->compat = htobe32(JBD2_COMPAT_CHECKSUM);
  else
    s->incompat = htobe32(JBD2_INCOMPAT_CSUM_V2);
  device_checksum(&d);
  struct journal *j = device_mount(&d);
  add(j, 10, 1);
  device_commit(&d, j, true);
  journal_free(j);
  ck_assert_uint_eq(be32toh(s->incompat),
                    JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_CSUM_V3);
  ck_assert_uint_eq(s->compat, 0);
  journal_free(device_mount(&d));
  ck_assert_ptr_nonnull(device_at(&d, 10));
}
END_TEST

/* ---- memory ---- */

static unsigned allocations, failing; /* the how manieth fails; 0: none */

static bool fails(void) {
  return ++allocations == failing;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_reallocarray(void *, size_t, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_reallocarray(void *, size_t, size_t);

void *__wrap_malloc(size_t n) {
  return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each) {
  return fails() ? NULL : __real_calloc(n, each);
}

void *__wrap_reallocarray(void *p, size_t n, size_t each) {
  return fails() ? NULL : __real_reallocarray(p, n, each);
}

/* Tries until it succeeds, with one allocation more each time. @return how often it failed */
#define HARDLY(call)                                                                               \
  ({                                                                                               \
    unsigned tries_ = 0;                                                                           \
    int err_;                                                                                      \
    do {                                                                                           \
      allocations = 0;                                                                             \
      failing = ++tries_;                                                                          \
      err_ = (call);                                                                               \
      failing = 0;                                                                                 \
      ck_assert(err_ == 0 || err_ == -ENOMEM);                                                     \
    } while (err_);                                                                                \
    tries_ - 1;                                                                                    \
  })

START_TEST(memory_that_lacks) {
  const struct journal_write *writes;
  struct journal_write record;
  struct journal_reason why;
  struct journal *j;
  size_t n;
  device_init(&d, JOURNAL_CHECKSUM);
  ck_assert_uint_eq(HARDLY(journal_open(&j, &d.geometry, d.log[0], &why)), 4);
  ck_assert_int_eq(device_recover(&d, j, NULL, NULL), 0);
  static uint8_t escaped[BLOCK] = {0xc0, 0x3b, 0x39, 0x98, 1};
  unsigned failures = 0;
  for (unsigned i = 0; i < 40; i++) {
    failures += HARDLY(journal_add(j, 10 + i, i % 8 ? content(i) : escaped, JOURNAL_COPY));
    failures += HARDLY(journal_revoke(j, 3100 + i));
  }
  ck_assert_uint_ge(failures, 45);
  ck_assert_uint_eq(journal_running_needs(j), journal_needs(j, 40, 40));
  ck_assert_uint_eq(HARDLY(journal_seal(j, &writes, &n)), 4);
  for (size_t i = 0; i < n; i++)
    device_put(&d, &writes[i]);
  allocations = 0; /* Check allocates, too */
  int err = journal_commit_record(j, 1, &record);
  device_put(&d, &record);
  if (!err) err = journal_committed(j);
  unsigned allocated = allocations;
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(allocated, 0);
  journal_free(j);
  j = device_open(&d);
  ck_assert_uint_ge(HARDLY(device_recover(&d, j, NULL, &why)), 3);
  for (unsigned i = 0; i < 40; i++)
    ck_assert_mem_eq(device_at(&d, 10 + i), i % 8 ? content(i) : escaped, BLOCK);
  journal_free(j);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("journal-rules");
  TCase *tc = tcase_create("rules");
  tcase_add_test(tc, order_of_calls);
  tcase_add_test(tc, recovered_log_must_be_closed_first);
  tcase_add_test(tc, empty_transactions);
  tcase_add_test(tc, blocks_that_cannot_be_logged);
  tcase_add_test(tc, last_word_counts);
  tcase_add_test(tc, needs);
  tcase_add_test(tc, log_is_full_to_the_block);
  tcase_add_test(tc, space_is_free_when_the_superblock_says_so);
  tcase_add_loop_test(tc, wide_block_numbers, 0, 4);
  tcase_add_test(tc, sequence_numbers_wrap);
  tcase_add_test(tc, rest_of_the_superblock_stays);
  tcase_add_loop_test(tc, old_checksums_become_new_ones, 0, 2);
  tcase_add_test(tc, memory_that_lacks);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
