/* Paths as text. */
#include <check.h>
#include <string.h>

#include "bus/test-run.h"
#include "libos/pathname.h"

static const struct {
  const char *base, *path, *made;
} joins[] = {
    {"/", "a", "/a"},
    {"/a/b", "c", "/a/b/c"},
    {"/a/b", "..", "/a"},
    {"/a/b", "../../..", "/"},
    {"/a", "/x//y/./z/", "/x/y/z"},
    {"/a", ".", "/a"},
    {"/a", "", "/a"},
    {"/", "..", "/"},
    {"/a", "...", "/a/..."},
    {"/a", "b/../../c", "/c"},
};

START_TEST(join) {
  char made[64];
  ck_assert(pathname_join(joins[_i].base, joins[_i].path, made, sizeof made));
  ck_assert_str_eq(made, joins[_i].made);
}
END_TEST

START_TEST(join_fits_or_says_so) {
  char made[8];
  ck_assert(pathname_join("/abc", "de", made, 8));
  ck_assert_str_eq(made, "/abc/de");
  ck_assert(!pathname_join("/abc", "def", made, 8));
  ck_assert(!pathname_join("/", ".", made, 1));
  ck_assert(pathname_join("/", ".", made, 2));
}
END_TEST

static const struct {
  const char *path, *last;
} lasts[] = {{"a", "a"},   {"/a/b", "b"}, {"/a/b/", "b"}, {"/", "/"},
             {"///", "/"}, {"", ""},      {"..", ".."}};

START_TEST(last) {
  size_t n;
  const char *at = pathname_last(lasts[_i].path, &n);
  ck_assert_uint_eq(n, strlen(lasts[_i].last));
  ck_assert(memcmp(at, lasts[_i].last, n) == 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pathname");
  TCase *tc = tcase_create("pathname");
  tcase_add_loop_test(tc, join, 0, sizeof joins / sizeof *joins);
  tcase_add_test(tc, join_fits_or_says_so);
  tcase_add_loop_test(tc, last, 0, sizeof lasts / sizeof *lasts);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
