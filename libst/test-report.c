/* What remains of a report that is full. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "libst/report.h"
#include "libst/st.h"

static struct st_report r;

static unsigned count_lines(const char *start) {
  unsigned count = 0;
  for (const char *line = r.text; *line; line = strchr(line, '\n') + 1)
    count += strncmp(line, start, strlen(start)) == 0;
  return count;
}

static void check_consistent(void) {
  ck_assert_uint_eq(r.used, strlen(r.text));
  ck_assert(r.used < sizeof(r.text));
  ck_assert_uint_le(count_lines("... more lines were cut"), 1);
}

START_TEST(all_lines_when_there_is_room) {
  memset(&r, 0, sizeof(r));
  report_note(&r, "one");
  report_violation(&r, "two");
  report_warning(&r, "three");
  ck_assert_str_eq(r.text, "note: one\nviolation: two\nwarning: three\n");
  ck_assert(r.violations == 1 && r.notes == 2);
}
END_TEST

START_TEST(violations_take_the_place_of_notes) {
  memset(&r, 0, sizeof(r));
  for (int i = 0; i < 1000; i++)
    report_note(&r, "this is number %d of many notes, which together are too long", i);
  check_consistent();
  unsigned notes = count_lines("note: ");
  ck_assert_uint_eq(count_lines("... more"), 1);
  for (int i = 0; i < 20; i++)
    report_violation(&r, "this is number %d of the violations that come too late", i);
  check_consistent();
  ck_assert_uint_eq(count_lines("violation: "), 20);
  ck_assert_uint_lt(count_lines("note: "), notes);
  ck_assert_uint_gt(count_lines("note: "), notes / 2);
  ck_assert(strncmp(r.text, "note: this is number 0 ", 23) == 0);
  ck_assert(strstr(r.text, "... more lines were cut\n") == r.text + r.used - 24);
}
END_TEST

START_TEST(violations_alone_are_cut) {
  memset(&r, 0, sizeof(r));
  for (int i = 0; i < 1000; i++) {
    report_violation(&r, "number %d of more than a report can hold, though each of them counts", i);
    report_note(&r, "something else");
    check_consistent();
  }
  ck_assert_uint_eq(r.violations, 1000);
  ck_assert_uint_eq(count_lines("note: "), 0);
  ck_assert(strncmp(r.text, "violation: number 0 ", 20) == 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report");
  TCase *cases = tcase_create("report");
  tcase_add_test(cases, all_lines_when_there_is_room);
  tcase_add_test(cases, violations_take_the_place_of_notes);
  tcase_add_test(cases, violations_alone_are_cut);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
