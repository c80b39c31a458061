/* Logs: bounded, in order, spanning versions. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/log.h"
#include "bus/loop.h"
#include "bus/test-folder.h"
#include "bus/test-run.h"

static struct manifest_component components[] = {{.name = "talker", .calls_max = 1}};
static struct manifest manifest = {.components = components, .components_count = 1};
static char text[2 * LOG_MAX_BYTES];

static void setup(void) {
  char path[64];
  test_folder_make();
  snprintf(path, sizeof(path), "%s/log", test_folder);
  ck_assert_int_eq(mkdir(path, 0700), 0);
  ck_assert_int_eq(loop_init(), 0);
  ck_assert_int_eq(bus_init(&manifest, "test", test_folder), 0);
  ck_assert_int_eq(log_open(bus_endpoint(1)), 0);
}

static void teardown(void) {
  bus_deinit();
  test_folder_remove();
}

/* @return its length, or -1 */
static long read_log(const char *suffix) {
  char path[128];
  snprintf(path, sizeof(path), "%s/log/talker.log%s", test_folder, suffix);
  FILE *f = fopen(path, "r");
  if (!f) return -1;
  size_t n = fread(text, 1, sizeof(text) - 1, f);
  text[n] = 0;
  fclose(f);
  return (long)n;
}

static void print(const char *line) {
  ck_assert_int_eq(write(bus_endpoint(1)->log_pipe[1], line, strlen(line)), (ssize_t)strlen(line));
}

START_TEST(lines_of_versions_in_order) {
  struct endpoint *e = bus_endpoint(1);
  struct version *v = version_new(e, SYS_START_FRESH, open("/dev/null", O_RDONLY));
  strcpy(v->build_id, "abc123");
  v->pid = 77;
  log_version(e, v, "started");
  print("talker: one\n");
  log_version(e, v, "updated");
  print("talker: two\n");
  char last[64];
  log_last_line(e, last, sizeof(last));
  ck_assert_str_eq(last, "talker: two");
  ck_assert_int_gt(read_log(""), 0);
  const char *started = strstr(text, "talker started: build id abc123, process 77");
  const char *one = strstr(text, "\ntalker: one\n"), *updated = strstr(text, "talker updated");
  const char *two = strstr(text, "talker: two\n");
  ck_assert(started && one && updated && two);
  ck_assert(started < one && one < updated && updated < two);
  version_free(v);
}
END_TEST

START_TEST(a_crash_leaves_its_last_messages) {
  struct endpoint *e = bus_endpoint(1);
  struct version *v = version_new(e, SYS_START_FRESH, open("/dev/null", O_RDONLY));
  e->live = v;
  for (uint32_t i = 0; i < 2 * HISTORY_ENTRIES; i++) {
    msg_t m = {.type = 0x900 + i};
    history_add(&e->history, bus_now_us(), HISTORY_RECEIVED, 1, &m);
  }
  log_end(e, v, 11); /* wait status: signal 11 */
  ck_assert_int_gt(read_log(""), 0);
  ck_assert_ptr_nonnull(strstr(text, "was killed by signal 11"));
  ck_assert_ptr_nonnull(strstr(text, "received from talker: type 0x91f"));
  ck_assert_ptr_nonnull(strstr(text, "type 0x910"));
  ck_assert_msg(!strstr(text, "type 0x90f"), "more messages than it keeps");
  e->live = NULL;
  version_free(v);
}
END_TEST

START_TEST(rotation) {
  char line[1001], last[64];
  memset(line, 'x', sizeof(line));
  line[999] = '\n', line[1000] = 0;
  for (unsigned i = 0; i < 3 * LOG_MAX_BYTES / 1000; i++) {
    memcpy(line, "talker: line", 12);
    print(line);
    log_last_line(bus_endpoint(1), last, sizeof(last));
  }
  print("talker: the end\n");
  log_last_line(bus_endpoint(1), last, sizeof(last));
  ck_assert_str_eq(last, "talker: the end");
  long newer = read_log("");
  ck_assert_int_gt(newer, 0);
  ck_assert_int_le(newer, LOG_MAX_BYTES);
  ck_assert_ptr_nonnull(strstr(text, "talker: the end\n"));
  long older = read_log(".1");
  ck_assert_int_gt(older, LOG_MAX_BYTES / 2);
  ck_assert_int_le(older, LOG_MAX_BYTES);
  ck_assert_int_eq(read_log(".2"), -1);
}
END_TEST

int main(void) {
  Suite *s = suite_create("log");
  TCase *t = tcase_create("log");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, lines_of_versions_in_order);
  tcase_add_test(t, a_crash_leaves_its_last_messages);
  tcase_add_test(t, rotation);
  suite_add_tcase(s, t);
  return test_run(s);
}
