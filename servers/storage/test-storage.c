/* Parts of storage without a bus and a disk: the cache, flushes, what the log has, and names. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/storage/batch.h"
#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/disk.h"
#include "servers/storage/flush.h"
#include "servers/storage/inbox.h"
#include "servers/storage/logged.h"
#include "servers/storage/name-cache.h"
#include "servers/storage/parked.h"
#include "servers/storage/volume.h"
#include "servers/storage/wanted.h"
#include "servers/storage/writeback.h"

enum { PAGES = 64 };

/* ---- the disk ---- */

static char memory[PAGES][DISK_PAGE_BYTES];
static struct disk_transfer begun[DISK_REQUESTS];
static uint32_t nbegun, room;
static bool was_reset, has_failed;
static int read_status;

uint32_t disk_pages(void) {
  return PAGES;
}

char *disk_page(uint32_t page) {
  return memory[page];
}

uint64_t disk_blocks(void) {
  return 1000;
}

uint32_t disk_run_max(void) {
  return DISK_REQUEST_PAGES;
}

bool disk_has_room(uint32_t transfers) {
  return transfers <= room;
}

uint32_t disk_under_way(void) {
  return nbegun;
}

bool disk_begin(enum disk_purpose purpose, uint32_t operation, uint64_t block, uint32_t count,
                const uint32_t *pages, uint32_t flags) {
  if (!room) return false;
  struct disk_transfer *t = &begun[nbegun++];
  *t = (struct disk_transfer){.purpose = purpose, .operation = operation, .flags = flags};
  t->block = block;
  t->count = count;
  for (uint32_t i = 0; i < count; i++)
    t->pages[i] = pages[i];
  return true;
}

int disk_wait(uint32_t operation, uint64_t block, uint32_t count, const uint32_t *pages,
              uint32_t flags) {
  (void)flags;
  ck_assert_uint_eq(operation, DISK_READ);
  for (uint32_t i = 0; i < count; i++)
    memset(memory[pages[i]], (int)(block + i), DISK_PAGE_BYTES);
  return read_status;
}

/* All that was begun is done. */
void disk_poll(void) {
  for (uint32_t i = 0; i < nbegun; i++) {
    struct disk_transfer t = begun[i];
    if (t.purpose == FOR_CACHE_READ) cache_read_done(t.pages, t.count, read_status);
    if (t.purpose == FOR_CACHE_WRITE) writeback_done(t.pages, t.count, 0);
    if (t.purpose == FOR_FLUSH) flush_done(0);
  }
  nbegun = 0;
}

bool disk_was_reset(void) {
  bool was = was_reset;
  was_reset = false;
  return was;
}

void disk_lost(void) {
  flush_lost();
  cache_lost();
}

/* ---- what else they know ---- */

static unsigned pages_had;

void wanted_has_page(void) {
  pages_had++;
}

void commit_look(void) {}

void parked_wake(void) {}

void volume_fail(const char *why) {
  (void)why;
  has_failed = true;
}

void inbox_alarm(enum inbox_alarm which, uint64_t us) {
  (void)which;
  (void)us;
}

static uint64_t now_us;

uint64_t sys_time_us(void) {
  return now_us;
}

static void setup(void) {
  now_us = 1000000;
  nbegun = pages_had = 0;
  room = 200;
  was_reset = has_failed = false;
  read_status = 0;
  ck_assert_int_eq(cache_init(0), 0);
  writeback_init(0, 5);
}

static void write_block(uint64_t block, bool fresh) {
  uint32_t page = cache_overwrite(block);
  ck_assert_uint_ne(page, NO_PAGE);
  cache_dirtied(page, 7, fresh);
}

/* ---- the cache ---- */

START_TEST(block_is_read_once) {
  const char *data = cache_read_wait(5);
  ck_assert_ptr_nonnull(data);
  ck_assert_int_eq(data[0], 5);
  ck_assert_uint_ne(cache_find(6), NO_PAGE); /* a neighbour */
  ck_assert_ptr_eq(cache_read_wait(5), data);
}
END_TEST

START_TEST(block_that_cannot_be_read_is_tried_again) {
  read_status = -5;
  ck_assert_ptr_null(cache_read_wait(5));
  read_status = 0;
  ck_assert_ptr_nonnull(cache_read_wait(5));
}
END_TEST

START_TEST(reading_ahead_leaves_out_what_is_there) {
  cache_read_wait(12);
  ck_assert_uint_eq(cache_begin_reading(10, 12), 4); /* 10, 11, and behind 12's neighbours 20, 21 */
  ck_assert_uint_eq(nbegun, 2);
  ck_assert(cache_page(cache_find(10))->flags & PAGE_READING);
  disk_poll();
  ck_assert_uint_eq(cache_page(cache_find(10))->flags, PAGE_VALID);
}
END_TEST

START_TEST(oldest_clean_page_is_taken) {
  for (uint64_t b = 0; b < PAGES; b++)
    cache_enter(100 + b);
  cache_use(100);
  ck_assert_uint_ne(cache_enter(500), NO_PAGE);
  ck_assert_uint_ne(cache_find(100), NO_PAGE);
  ck_assert_uint_eq(cache_find(101), NO_PAGE);
}
END_TEST

START_TEST(written_page_stays_until_a_flush) {
  for (uint64_t b = 0; b < PAGES; b++)
    write_block(100 + b, false);
  ck_assert_uint_eq(cache_take(), NO_PAGE);
  writeback_all();
  ck_assert_uint_eq(nbegun, PAGES / DISK_REQUEST_PAGES); /* in large pieces */
  disk_poll();
  ck_assert_uint_eq(cache_count(PAGES_DIRTY), 0);
  ck_assert_uint_eq(cache_take(), NO_PAGE);
  ck_assert_uint_eq(begun[0].purpose, FOR_FLUSH);
  disk_poll();
  ck_assert(cache_can_take(PAGES));
}
END_TEST

START_TEST(page_is_waited_for_where_one_must_be_had) {
  for (uint64_t b = 0; b < PAGES; b++)
    write_block(100 + b, false);
  ck_assert_uint_ne(cache_overwrite(500), NO_PAGE);
}
END_TEST

START_TEST(page_that_is_written_to_meanwhile_stays_dirty) {
  write_block(100, true);
  writeback_all();
  write_block(100, false);
  disk_poll();
  ck_assert_uint_eq(cache_count(PAGES_DIRTY), 1);
  ck_assert(cache_page(cache_find(100))->flags & PAGE_FRESH);
}
END_TEST

START_TEST(freed_block_is_not_written) {
  write_block(100, true);
  cache_forget(100);
  ck_assert_uint_eq(cache_find(100), NO_PAGE);
  writeback_all();
  ck_assert_uint_eq(nbegun, 0);
}
END_TEST

START_TEST(freed_block_that_a_commit_waits_for_is_written) {
  write_block(100, true);
  cache_page(cache_find(100))->flags |= PAGE_WANTED;
  cache_forget(100);
  writeback_wanted();
  disk_poll();
  ck_assert_uint_eq(pages_had, 1);
  ck_assert(!(cache_page(cache_find(100))->flags & PAGE_VALID));
}
END_TEST

START_TEST(what_was_lost_is_dirty_again) {
  write_block(100, false);
  write_block(101, false);
  writeback_all();
  disk_poll();
  flush_begin();
  disk_poll();
  write_block(101, false);
  writeback_all();
  disk_poll();
  cache_lost();
  ck_assert_uint_eq(cache_count(PAGES_DIRTY), 1);
  ck_assert(cache_page(cache_find(101))->flags & PAGE_DIRTY);
}
END_TEST

/* ---- flushes ---- */

START_TEST(flush_counts_for_what_was_written_before) {
  uint32_t before = flush_needed();
  flush_begin();
  uint32_t meanwhile = flush_needed();
  flush_done(0);
  ck_assert(flush_is_done(before));
  ck_assert(!flush_is_done(meanwhile));
  ck_assert_uint_eq(flush_needed_by_all(), meanwhile);
}
END_TEST

START_TEST(nothing_written_needs_no_flush) {
  nbegun = 0;
  flush_begin();
  ck_assert_uint_eq(nbegun, 0);
  ck_assert_uint_eq(flush_needed_by_all(), 0);
}
END_TEST

START_TEST(flush_over_a_loss_does_not_count) {
  uint32_t number = flush_needed();
  flush_begin();
  flush_lost();
  flush_done(0);
  ck_assert(!flush_is_done(number));
  flush_look();
  flush_done(0);
  ck_assert(flush_is_done(number));
}
END_TEST

/* The device was reset, and the news of it has not come yet. */
START_TEST(flush_after_an_unknown_reset_does_not_count) {
  uint32_t number = flush_needed();
  flush_begin();
  was_reset = true;
  flush_done(0);
  ck_assert(!flush_is_done(number));
}
END_TEST

START_TEST(flush_that_fails_is_tried_again_in_the_end_in_vain) {
  flush_needed();
  flush_begin();
  for (unsigned i = 0; i < 1000 && !has_failed; i++) {
    nbegun = 0;
    flush_done(-5);
    flush_try_again();
  }
  ck_assert(has_failed);
}
END_TEST

START_TEST(flush_without_room_begins_later) {
  room = 0;
  flush_needed();
  flush_begin();
  ck_assert_uint_eq(nbegun, 0);
  room = 1;
  flush_look();
  ck_assert_uint_eq(nbegun, 1);
}
END_TEST

/* ---- batches ---- */

/* So many come one after the other. @return how many of them were given to the driver together */
static uint32_t batch_of(uint32_t most) {
  for (uint32_t held = 1; held <= most; held++)
    if (batch_is_complete(held)) return held;
  return 0;
}

START_TEST(batches_grow_while_they_are_complete) {
  uint32_t last = 0;
  for (unsigned i = 0; i < 100; i++) {
    uint32_t n = batch_of(100);
    ck_assert_uint_ge(n, last);
    last = n;
  }
  ck_assert_uint_gt(last, 8);
  ck_assert_uint_lt(last, 17);
}
END_TEST

START_TEST(batch_that_takes_too_long_is_given_and_not_tried_again_soon) {
  ck_assert_uint_eq(batch_of(1), 1);
  ck_assert_uint_eq(batch_of(1), 1);
  ck_assert_uint_eq(batch_of(1), 0); /* it is tried whether a second one comes */
  ck_assert(!batch_alarm(1));        /* one of an earlier batch */
  now_us += 1000;
  ck_assert(batch_alarm(1));
  for (unsigned i = 0; i < 100; i++)
    ck_assert_uint_eq(batch_of(1), 1);
}
END_TEST

START_TEST(alarm_without_a_batch_means_nothing) {
  ck_assert_uint_eq(batch_of(1), 1);
  now_us += 1000;
  ck_assert(!batch_alarm(0));
}
END_TEST

/* ---- what the log has ---- */

START_TEST(log_has_what_was_added) {
  ck_assert_int_eq(logged_open(4), 0);
  for (uint64_t b = 0; b < 1000; b++)
    ck_assert_int_eq(logged_add(b * 3, 1), 0);
  for (uint64_t b = 0; b < 3000; b++)
    ck_assert_int_eq(logged_has(b), b % 3 == 0);
}
END_TEST

START_TEST(log_that_moves_forgets) {
  ck_assert_int_eq(logged_open(100), 0);
  logged_add(1, UINT32_MAX); /* numbers go on from 0 */
  logged_add(2, 0);
  logged_add(3, UINT32_MAX);
  logged_add(3, 1);
  logged_drop_before(0);
  ck_assert(!logged_has(1));
  ck_assert(logged_has(2) && logged_has(3));
  logged_drop_before(1);
  ck_assert(!logged_has(2));
  ck_assert(logged_has(3));
}
END_TEST

/* ---- names ---- */

/* @return what a name is known as, or -1 */
static int64_t known(uint32_t dir, const char *name) {
  uint32_t ino;
  return name_cache_find(dir, name, &ino) ? (int64_t)ino : -1;
}

START_TEST(names_are_known_by_their_directory) {
  ck_assert_int_eq(known(5, "a"), -1);
  name_cache_put(5, "a", 10);
  name_cache_put(6, "a", 0);
  ck_assert_int_eq(known(5, "a"), 10);
  ck_assert_int_eq(known(6, "a"), 0);
  ck_assert_int_eq(known(7, "a"), -1);
  ck_assert_int_eq(known(5, "b"), -1);
  name_cache_put(5, "a", 11);
  ck_assert_int_eq(known(5, "a"), 11);
  name_cache_drop(5, "a");
  name_cache_drop(5, "never there");
  ck_assert_int_eq(known(5, "a"), -1);
  ck_assert_int_eq(known(6, "a"), 0);
}
END_TEST

START_TEST(some_names_are_not_kept) {
  char longest[] = "123456789012345678901234567890123456789012345678901";
  char longer[] = "1234567890123456789012345678901234567890123456789012";
  const char *names[] = {".", "..", longer};
  for (unsigned i = 0; i < 3; i++) {
    name_cache_put(5, names[i], 10);
    ck_assert_int_eq(known(5, names[i]), -1);
  }
  name_cache_put(5, longest, 10);
  ck_assert_int_eq(known(5, longest), 10);
}
END_TEST

START_TEST(name_that_is_used_stays) {
  enum { MANY = 100000 };
  char name[16];
  name_cache_put(5, "used", 10);
  unsigned kept = 0;
  for (uint32_t i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "%u", i);
    name_cache_put(5, name, i);
    ck_assert_int_eq(known(5, name), i);
    ck_assert_int_eq(known(5, "used"), 10);
  }
  for (uint32_t i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "%u", i);
    int64_t ino = known(5, name);
    ck_assert(ino == -1 || ino == i);
    kept += ino != -1;
  }
  ck_assert_uint_gt(kept, 8000);
  ck_assert_uint_le(kept, 8192);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("storage");
  TCase *t = tcase_create("storage");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, block_is_read_once);
  tcase_add_test(t, block_that_cannot_be_read_is_tried_again);
  tcase_add_test(t, reading_ahead_leaves_out_what_is_there);
  tcase_add_test(t, oldest_clean_page_is_taken);
  tcase_add_test(t, written_page_stays_until_a_flush);
  tcase_add_test(t, page_is_waited_for_where_one_must_be_had);
  tcase_add_test(t, page_that_is_written_to_meanwhile_stays_dirty);
  tcase_add_test(t, freed_block_is_not_written);
  tcase_add_test(t, freed_block_that_a_commit_waits_for_is_written);
  tcase_add_test(t, what_was_lost_is_dirty_again);
  tcase_add_test(t, flush_counts_for_what_was_written_before);
  tcase_add_test(t, nothing_written_needs_no_flush);
  tcase_add_test(t, flush_over_a_loss_does_not_count);
  tcase_add_test(t, flush_after_an_unknown_reset_does_not_count);
  tcase_add_test(t, flush_that_fails_is_tried_again_in_the_end_in_vain);
  tcase_add_test(t, flush_without_room_begins_later);
  tcase_add_test(t, batches_grow_while_they_are_complete);
  tcase_add_test(t, batch_that_takes_too_long_is_given_and_not_tried_again_soon);
  tcase_add_test(t, alarm_without_a_batch_means_nothing);
  tcase_add_test(t, log_has_what_was_added);
  tcase_add_test(t, log_that_moves_forgets);
  tcase_add_test(t, names_are_known_by_their_directory);
  tcase_add_test(t, some_names_are_not_kept);
  tcase_add_test(t, name_that_is_used_stays);
  suite_add_tcase(suite, t);
  return test_run(suite);
}
