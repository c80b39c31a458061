/* What debugfs reads in a log. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/test-run.h"
#include "servers/storage/journal/test-image.h"

static int no_read(void *arg, uint64_t block, void *data) {
  (void)arg, (void)block, (void)data;
  return -1;
}

static int no_write(void *arg, uint64_t block, const void *data) {
  (void)arg, (void)block, (void)data;
  return -1;
}

static void put(struct image *m, const struct journal_write *w) {
  memcpy(image_block(m, w->block), w->data, m->geometry.block_bytes);
}

static void commit(struct image *m, struct journal *j) {
  const struct journal_write *writes;
  struct journal_write record;
  size_t n;
  ck_assert_int_eq(journal_seal(j, &writes, &n), 0);
  for (size_t i = 0; i < n; i++)
    put(m, &writes[i]);
  ck_assert_int_eq(journal_commit_record(j, 1, &record), 0);
  put(m, &record);
  ck_assert_int_eq(journal_committed(j), 0);
}

/* Transaction 2 has unused[0] and [1], which must be escaped; transaction 3 has [2], and revokes
 * [0]. */
static void make_log(struct image *m) {
  struct journal *j;
  uint8_t *data = calloc(1, m->geometry.block_bytes);
  ck_assert_int_eq(journal_open(&j, &m->geometry, image_superblock(m), NULL), 0);
  ck_assert_int_eq(journal_recover(j, no_read, no_write, NULL, NULL, NULL), 0);
  ck_assert_int_eq(journal_add(j, m->unused[0], data, JOURNAL_COPY), 0);
  memcpy(data, (uint8_t[]){0xc0, 0x3b, 0x39, 0x98}, 4);
  ck_assert_int_eq(journal_add(j, m->unused[1], data, JOURNAL_COPY), 0);
  commit(m, j);
  ck_assert_int_eq(journal_add(j, m->unused[2], data, JOURNAL_COPY), 0);
  ck_assert_int_eq(journal_revoke(j, m->unused[0]), 0);
  commit(m, j);
  journal_free(j);
  free(data);
}

/* @return what debugfs prints of the log */
static const char *dump(const struct image *m) {
  static char text[20000];
  char path[300], command[400];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/journal-dump-%d", folder ? folder : "/tmp", getpid());
  image_save(m, m->bytes, path);
  snprintf(command, sizeof command, "debugfs -R 'logdump -a' %s 2>&1", path);
  FILE *f = popen(command, "r");
  ck_assert_ptr_nonnull(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  ck_assert_int_eq(pclose(f), 0);
  unlink(path);
  return text;
}

/* @return where the line is; ends the test when it is not */
static const char *expect_line(const char *text, const char *format, uint64_t number) {
  char line[200];
  snprintf(line, sizeof line, format, number);
  const char *at = strstr(text, line);
  ck_assert_msg(at != NULL, "there is no \"%s\" in:\n%s", line, text);
  return at;
}

START_TEST(debugfs_reads_the_log) {
  static const char *const options[] = {"", "-O ^metadata_csum", "-O ^64bit",
                                        "-O ^metadata_csum,^64bit"};
  struct image m = image_make(_i & 1 ? 1024 : 4096, options[_i / 2]);
  make_log(&m);
  const char *at = dump(&m);
  at = expect_line(at, "Found expected sequence 2, type 1 (descriptor block) at block %" PRIu64, 1);
  at = expect_line(at, "FS block %" PRIu64 " logged at journal block 2 (flags 0x0)", m.unused[0]);
  at = expect_line(at, "FS block %" PRIu64 " logged at journal block 3 (flags 0xb)", m.unused[1]);
  at = expect_line(at, "Found expected sequence 2, type 2 (commit block) at block %" PRIu64, 4);
  at = expect_line(at, "Found expected sequence 3, type 5 (revoke table) at block %" PRIu64, 5);
  at = expect_line(at, "Revoke FS block %" PRIu64, m.unused[0]);
  at = expect_line(at, "Found expected sequence 3, type 1 (descriptor block) at block %" PRIu64, 6);
  at = expect_line(at, "FS block %" PRIu64 " logged at journal block 7 (flags 0x9)", m.unused[2]);
  expect_line(at, "Found expected sequence 3, type 2 (commit block) at block %" PRIu64, 8);
  image_free(&m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("journal-debugfs");
  TCase *tc = tcase_create("debugfs");
  tcase_set_timeout(tc, 60);
  tcase_add_loop_test(tc, debugfs_reads_the_log, 0, 8);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
