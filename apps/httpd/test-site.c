/* Paths of URLs, plain and hostile. */
#include <check.h>
#include <string.h>

#include "apps/httpd/site.h"
#include "bus/test-run.h"

static const struct {
  const char *root, *url, *path;
  int status;
} cases[] = {
    {"/www", "/a/b.txt", "/www/a/b.txt", 0},
    {"/www/", "/a", "/www/a", 0},
    {"/", "/a", "/a", 0},
    {"/www", "/", "/www/", 0},
    {"/www", "/a%20b%C3%bc", "/www/a b\xc3\xbc", 0},
    {"/www", "/..a/.../b..", "/www/..a/.../b..", 0},
    {"", "name", "name", 0},
    {"/www", "/..", NULL, 400},
    {"/www", "/a/../b", NULL, 400},
    {"/www", "/%2e%2e/etc", NULL, 400},
    {"/www", "/a%2fb", NULL, 400},
    {"/www", "/a%00b", NULL, 400},
    {"/www", "/a%0d%0aX:", NULL, 400},
    {"/www", "/a%", NULL, 400},
    {"/www", "/a%4", NULL, 400},
    {"/www", "/a%zz", NULL, 400},
};

START_TEST(path) {
  char made[64];
  int status = site_path(cases[_i].root, cases[_i].url, made, sizeof made);
  ck_assert_msg(status == cases[_i].status, "%s: %d", cases[_i].url, status);
  if (!status) ck_assert_str_eq(made, cases[_i].path);
}
END_TEST

START_TEST(what_does_not_fit_is_not_found) {
  char made[8];
  ck_assert_int_eq(site_path("/www", "/ab", made, sizeof made), 0);
  ck_assert_int_eq(site_path("/www", "/abc", made, sizeof made), 404);
  ck_assert_int_eq(site_path("/wwwwwww", "/", made, sizeof made), 404);
}
END_TEST

START_TEST(types) {
  ck_assert_str_eq(site_type("/a/b.HTML"), "text/html; charset=utf-8");
  ck_assert_str_eq(site_type("/a/b.tar.gz"), "application/octet-stream");
  ck_assert_str_eq(site_type("/a/none"), "application/octet-stream");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("site");
  TCase *tc = tcase_create("site");
  tcase_add_loop_test(tc, path, 0, sizeof cases / sizeof *cases);
  tcase_add_test(tc, what_does_not_fit_is_not_found);
  tcase_add_test(tc, types);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
