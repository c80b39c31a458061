#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/printable.h"

static const struct {
  const char *given, *made;
} texts[] = {
    {"", ""},
    {"num == 0\n\tand", "num == 0\n\tand"},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x99\x82"},
    {"\x1b[31m\x7f\r", "?[31m??"},
    {"a\x80z", "a?z"},
    {"cut \xc3", "cut ?"},
    {"cut \xe2\x82", "cut ??"},
    {"cut \xf0\x9f\x99", "cut ???"},
    {"\xc3\xc3\xbc", "?\xc3\xbc"},
    {"\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "?? ??? ????"},
    {"\xed\xa0\x80 \xf4\x90\x80\x80 \xff", "??? ???? ?"},
    {"\xed\x9f\xbf\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xf4\x8f\xbf\xbf"},
};

START_TEST(each_text) {
  char text[64];
  strcpy(text, texts[_i].given);
  printable_make(text);
  ck_assert_str_eq(text, texts[_i].made);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("printable");
  TCase *tcase = tcase_create("texts");
  tcase_add_loop_test(tcase, each_text, 0, sizeof(texts) / sizeof(texts[0]));
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
